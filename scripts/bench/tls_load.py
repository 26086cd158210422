"""The load of tls.ts: gets over TLS on many connections of one process, and handshakes.

set PORT BYTES | get PORT CONNS DEPTH SECONDS | count PORT | connect PORT COUNT
"""

import selectors
import socket
import ssl
import sys
import time

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
END = b"END\r\n"


def connect(port):
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return CONTEXT.wrap_socket(raw)


def read_to(sock, end):
    got = b""
    while not got.endswith(end):
        got += sock.recv(65536)
    return got


def store(port, count):
    with connect(port) as sock:
        sock.sendall(b"set k 0 0 %d\r\n" % count + b"v" * count + b"\r\n")
        read_to(sock, b"STORED\r\n")


def get(port, conns, depth, seconds):
    ask = b"get k\r\n" * depth
    waiting = selectors.DefaultSelector()
    for _ in range(conns):
        sock = connect(port)
        sock.sendall(b"get k\r\n")
        whole = depth * len(read_to(sock, END))
        sock.setblocking(False)
        sock.sendall(ask)
        waiting.register(sock, selectors.EVENT_READ, [whole])
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for key, _ in waiting.select(1):
            sock, left = key.fileobj, key.data
            try:
                left[0] -= len(sock.recv(65536))
            except ssl.SSLWantReadError:
                continue
            if left[0] == 0:
                left[0] = whole
                sock.send(ask)


def count(port):
    with connect(port) as sock:
        sock.sendall(b"stats\r\n")
        lines = read_to(sock, END).decode().split("\r\n")
    print(next(line.split()[2] for line in lines if line.startswith("STAT cmd_get ")))


def handshakes(port, number):
    for at in range(number):
        if at % 4 == 3:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
                raw.sendall(b"get k\r\n")
                try:
                    raw.recv(100)
                except ConnectionResetError:
                    pass
        else:
            with connect(port) as sock:
                sock.sendall(b"get k\r\n")
                sock.recv(200)


numbers = [int(float(text)) for text in sys.argv[2:]]
{"set": store, "get": get, "count": count, "connect": handshakes}[sys.argv[1]](*numbers)
