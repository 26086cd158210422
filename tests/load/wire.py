"""What the load clients share: sockets, and the commands that come in by standard input.

A client answers each line of its input by one line of JSON. When its input ends, so does it.
"""

import json
import resource
import select
import socket
import struct
import sys

SOURCES = [f"127.0.0.{number}" for number in range(1, 10)]
LINGER_RESET = struct.pack("ii", 1, 0)


def raise_descriptor_limit():
    """Allows this process as many descriptors as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connect(port, number=0, receive_bytes=0):
    """A connection from one of several addresses, so that ports last."""
    conn = socket.socket()
    if receive_bytes:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn.settimeout(20)
    conn.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    conn.bind((SOURCES[number % len(SOURCES)], 0))
    conn.connect(("127.0.0.1", port))
    return conn


def largest_send_buffer():
    """Bytes that the kernel lets wait at most in a connection that sends."""
    with open("/proc/sys/net/ipv4/tcp_wmem", encoding="ascii") as limits:
        return int(limits.read().split()[2])


def read_all(conn):
    """Everything up to the end of the stream, or up to a reset."""
    pieces = []
    try:
        while piece := conn.recv(1 << 20):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def read_exactly(conn, count):
    """`count` bytes, or fewer when the stream ends before."""
    got = b""
    while len(got) < count and (piece := conn.recv(count - len(got))):
        got += piece
    return got


def reset(conn):
    """Closes with RST instead of FIN."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    conn.close()


def has_command(timeout=0):
    """Whether a command waits, or comes within `timeout` seconds."""
    return bool(select.select([sys.stdin], [], [], timeout)[0])


def answer(result):
    """Answers the last command."""
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def commands():
    """The commands, one after the other, as lists of words."""
    while line := sys.stdin.readline():
        yield line.split()
