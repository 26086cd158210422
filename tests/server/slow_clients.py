"""Clients that send and do not read. Says when all have sent what goes, ends with its input.

slow_clients.py PORT CLIENTS plain|tls large|small|values|parts
  large   gets of a large value; small: very many gets of a small one
  values  large values one after the other; parts: the beginning of a value, in pieces
"""

import socket
import ssl
import sys

port, clients, over, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
VALUE = b"x" * 100_000


def connected():
    sock = socket.socket()
    # Small: what the kernel holds for a client is not what the server does.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    return context.wrap_socket(sock) if over == "tls" else sock


def send(sock, data):
    sock.settimeout(0.1)
    try:
        sock.sendall(data)
    except OSError:
        pass  # No more goes.


socks = [connected() for _ in range(clients)]
if kind == "large":
    for sock in socks:
        send(sock, b"get large\r\n" * 20)
elif kind == "small":
    for sock in socks:
        send(sock, b"get small\r\n" * 20_000)
elif kind == "values":
    for sock in socks:
        send(sock, (b"set v 0 0 %d\r\n" % len(VALUE) + VALUE + b"\r\n") * 10)
elif kind == "parts":
    for number, sock in enumerate(socks):
        send(sock, b"set p%d 0 0 200000\r\n" % number)
    for at in range(0, len(VALUE), 10_000):
        for sock in socks:
            send(sock, VALUE[at : at + 10_000])
print("sent", flush=True)
sys.stdin.read()
