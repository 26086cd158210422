# Runs a command on a terminal of its own, hangs up once its port is open, and sends it a signal.
# Arguments: port, signal, command. Exits with the command's exit code.

import os
import pty
import signal
import socket
import subprocess
import sys
import time

port, name, *command = sys.argv[1:]
master, terminal = pty.openpty()
process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal)
os.close(terminal)
for _ in range(500):
    try:
        socket.create_connection(("127.0.0.1", int(port))).close()
        break
    except OSError:
        time.sleep(0.02)
os.close(master)
process.send_signal(getattr(signal, name))
sys.exit(process.wait(timeout=30))
