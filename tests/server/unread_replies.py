"""Clients that ask for much, quit, and never read. Says when all have asked, ends with its input.

unread_replies.py PORT CLIENTS KEY
"""

import socket
import sys
import time

port, clients, key = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
socks = []
for _ in range(clients):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    try:
        sock.sendall((b"get " + key + b"\r\n") * 30 + b"quit\r\n")
    except OSError:
        pass  # Refused.
    socks.append(sock)
    time.sleep(0.02)
print("asked", flush=True)
sys.stdin.read()
