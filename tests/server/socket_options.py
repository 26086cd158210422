"""Prints what the connections of another process on a TCP port have set, as JSON.

socket_options.py PID PORT. Exit code 77: this system does not let us look (pidfd_getfd, Linux 5.6).
"""

import ctypes
import json
import os
import socket
import sys

PIDFD_GETFD = 438
libc = ctypes.CDLL(None, use_errno=True)


def take(pidfd, fd):
    taken = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
    if taken < 0:
        sys.stderr.write(os.strerror(ctypes.get_errno()) + "\n")
        sys.exit(77)
    return socket.socket(fileno=taken)


def option(sock, level, name):
    return sock.getsockopt(level, name) != 0


pid, port = int(sys.argv[1]), int(sys.argv[2])
pidfd = os.pidfd_open(pid)
found = []
for name in os.listdir(f"/proc/{pid}/fd"):
    if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
        continue
    sock = take(pidfd, int(name))
    inet = sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM
    if not inet or sock.getsockname()[1] != port:
        continue
    if option(sock, socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        continue
    found.append({
        "peer": sock.getpeername()[1],
        "keepAlive": option(sock, socket.SOL_SOCKET, socket.SO_KEEPALIVE),
        "noDelay": option(sock, socket.IPPROTO_TCP, socket.TCP_NODELAY),
    })
print(json.dumps(found))
