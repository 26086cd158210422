"""TLS connections to a server under test, and what its statistics say."""

import os
import select
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "clients"))

HOST = "127.0.0.1"
PORT, FOLDER, PID = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
MORE_PORTS = [int(port) for port in sys.argv[4:]]
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
PATIENCE = 15


def path(name):
    return os.path.join(FOLDER, name)


def context(version=None, certificate=None):
    """A client's context that believes the server whoever it is."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if version is not None:
        made.minimum_version = made.maximum_version = version
    if certificate is not None:
        made.load_cert_chain(path(certificate + ".crt"), path(certificate + ".key"))
    return made


def raw(port=PORT):
    return socket.create_connection((HOST, port), timeout=PATIENCE)


def connect(port=PORT, made=None, session=None):
    """A connection whose handshake is over."""
    made = made or context()
    try:
        return made.wrap_socket(raw(port), session=session)
    except ssl.SSLError as error:
        raise ConnectionError(f"refused: {error}") from error


def read_until(sock, end):
    got = b""
    while not got.endswith(end):
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionError(f"ended after {got[-200:]!r}")
        got += piece
    return got


def ask(sock, line, end=b"\r\n"):
    sock.sendall(line)
    return read_until(sock, end)


def send_and_read(sock, data, size):
    """Sends `data` and reads `size` bytes meanwhile.

    One thread does both: Python's SSL objects are not safe in two, and lose records there.
    """
    sock.setblocking(False)
    got = b""
    sent = 0
    until = time.monotonic() + PATIENCE
    while len(got) < size and time.monotonic() < until:
        try:
            while sent < len(data):
                sent += sock.send(data[sent : sent + 16384])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            piece = sock.recv(65536)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            select.select([sock], [sock] if sent < len(data) else [], [], 1)
            continue
        if not piece:
            raise ConnectionError(f"ended after {len(got)} bytes of {size}")
        got += piece
    sock.setblocking(True)
    return got


resumed = 0


def comes_in(port=PORT, made=None, session=None):
    """Whether a client is served, and the session it was given. A refusal may come only later."""
    try:
        sock = connect(port, made, session)
    except OSError:
        return False, None
    try:
        sock.sendall(b"mn\r\n")
        served = sock.recv(100) == b"MN\r\n"
        global resumed
        resumed += 1 if served and sock.session_reused else 0
        return served, sock.session
    except OSError:
        return False, sock.session
    finally:
        sock.close()


def stats(sock):
    lines = ask(sock, b"stats\r\n", b"END\r\n").decode().split("\r\n")
    return {line.split()[1]: line.split(None, 2)[2] for line in lines if line.startswith("STAT ")}


def number(name):
    """A statistic, asked on a connection of its own."""
    with connect() as sock:
        return int(stats(sock)[name])


def wait_for(claim, seconds=PATIENCE):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if claim():
            return True
        time.sleep(0.05)
    return claim()


def rss_kb():
    with open(f"/proc/{PID}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
