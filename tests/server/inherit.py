"""Becomes a server that inherits listening sockets as systemd hands them over.

inherit.py ADDRESS… -- COMMAND…: an ADDRESS is a port on 127.0.0.1 or the path of a Unix socket. The
sockets become descriptors 3, 4 and so on; LISTEN_FDS and LISTEN_PID say so to COMMAND.
"""

import os
import socket
import sys

FIRST = 3
ABOVE = 100


def listen(address):
    if address.isdigit():
        sock = socket.create_server(("127.0.0.1", int(address)))
    else:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(address)
        sock.listen()
    return sock


split = sys.argv.index("--")
addresses, command = sys.argv[1:split], sys.argv[split + 1:]
# First above the places that they are to have, so that none is overwritten before it is moved.
above = [
    os.dup2(listen(address).detach(), ABOVE + place) for place, address in enumerate(addresses)
]
for place, fd in enumerate(above):
    os.dup2(fd, FIRST + place, inheritable=True)
    os.close(fd)
os.environ["LISTEN_FDS"] = str(len(above))
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(command[0], command)
