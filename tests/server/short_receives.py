"""Makes the server's receives stop short, and prints how many of three requests were answered.

short_receives.py tcp PORT: an urgent byte stands between the requests.
short_receives.py unix PATH: a descriptor comes with the first one.
"""

import array
import os
import socket
import sys
import time

TCP_CORK = 3


def tcp(port):
    sock = socket.create_connection(("127.0.0.1", int(port)))
    time.sleep(0.2)
    # Corked, so that what follows the mark comes in the same burst.
    sock.setsockopt(socket.IPPROTO_TCP, TCP_CORK, 1)
    sock.send(b"mn\r\n")
    sock.send(b"X", socket.MSG_OOB)
    sock.send(b"mn\r\nmn\r\n")
    sock.setsockopt(socket.IPPROTO_TCP, TCP_CORK, 0)
    return sock


def unix(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    time.sleep(0.2)
    right = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [os.open("/dev/null", 0)]))
    sock.sendmsg([b"mn\r\n"], [right])
    sock.send(b"mn\r\nmn\r\n")
    return sock


sock = {"tcp": tcp, "unix": unix}[sys.argv[1]](sys.argv[2])
sock.settimeout(5)
got = b""
try:
    while got.count(b"\n") < 3 and (piece := sock.recv(1000)):
        got += piece
except TimeoutError:
    pass
print(got.count(b"MN\r\n"))
