"""Opens thousands of connections as fast as it can: storm.py PORT COUNT talk|listen.

Commands:
  open     connects them all; those that talk send "mn" at once
  answer   asks every open connection for the key "load", and says what became of each
  close    closes them all
"""

import errno
import select
import socket
import sys
import time

import wire

REFUSAL = b"ERROR Too many open connections\r\n"
NO_OP, NO_OP_REPLY = b"mn\r\n", b"MN\r\n"
GET, GET_REPLY = b"get load\r\n", b"VALUE load 0 5\r\nstorm\r\nEND\r\n"
CONNECT_SECONDS_MAX = 25
ANSWER_SECONDS_MAX = 15


class Conn:
    """One connection: what came, and how it ended."""

    def __init__(self, number):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        self.socket.bind((wire.SOURCES[number % len(wire.SOURCES)], 0))
        self.connected = self.talked = False
        self.got = b""
        self.end = None

    def send(self, request):
        """Sends a few bytes; of a peer that is gone, the receiver tells."""
        self.talked = True
        try:
            self.socket.send(request)
        except OSError:
            pass

    def receive(self):
        """Takes in what has come. Returns False at the end of the stream."""
        try:
            while piece := self.socket.recv(4096):
                self.got += piece
            self.end = "end of stream"
        except BlockingIOError:
            return True
        except OSError as error:
            self.end = errno.errorcode[error.errno]
        return False


class Storm:
    """All connections of this process."""

    def __init__(self, port, count, talks):
        self.port, self.count, self.talks = port, count, talks
        self.poll = select.epoll()
        self.conns = {}

    def turn(self, timeout):
        """Waits once; returns how many connections had something."""
        events = self.poll.poll(timeout, 4096)
        for descriptor, event in events:
            conn = self.conns[descriptor]
            if not conn.connected:
                self.connected(conn, descriptor)
            if event & ~select.EPOLLOUT and not conn.receive():
                self.poll.unregister(descriptor)
        return len(events)

    def connected(self, conn, descriptor):
        """Goes on from connecting to receiving."""
        conn.connected = True
        self.poll.modify(descriptor, select.EPOLLIN)
        if self.talks:
            conn.send(NO_OP)

    def open(self):
        """Connects them all; returns how long it took and how many did not come through."""
        start = time.monotonic()
        for number in range(self.count):
            conn = Conn(number)
            descriptor = conn.socket.fileno()
            self.conns[descriptor] = conn
            self.poll.register(descriptor, select.EPOLLOUT)
            conn.socket.connect_ex(("127.0.0.1", self.port))
            if number % 64 == 63:
                self.turn(0)
        while any(not conn.connected for conn in self.conns.values()):
            if time.monotonic() - start > CONNECT_SECONDS_MAX:
                break
            self.turn(0.2)
        missing = sum(not conn.connected for conn in self.conns.values())
        return {"seconds": time.monotonic() - start, "missing": missing}

    def answer(self):
        """Asks all that are open; returns what became of every connection."""
        while self.turn(0.3):
            pass
        asked = [conn for conn in self.conns.values() if conn.end is None]
        for conn in asked:
            conn.send(GET if self.talks else NO_OP + GET)
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        reply = NO_OP_REPLY + GET_REPLY
        while time.monotonic() < deadline:
            if all(conn.end or len(conn.got) >= len(reply) for conn in asked):
                break
            self.turn(0.2)
        return self.fates(reply)

    def fates(self, reply):
        """What became of all connections; of the refused, apart for those that had talked."""
        ends = {"refused": 0, "reset": 0, "lost": 0}
        fates = {"answered": 0, "wrong": 0, "silent": dict(ends), "talked": dict(ends)}
        examples = fates["examples"] = []
        for conn in self.conns.values():
            fate = fate_of(conn, reply)
            if fate in ends:
                fates["talked" if conn.talked else "silent"][fate] += 1
                continue
            fates[fate] += 1
            if fate == "wrong" and len(examples) < 3:
                examples.append(f"{conn.got[:80]!r}, {conn.end or 'still open'}")
        return fates

    def close(self):
        """Closes them all."""
        for conn in self.conns.values():
            conn.socket.close()
        return {}


def fate_of(conn, reply):
    """What became of a connection, in a word."""
    if conn.end is None:
        return "answered" if conn.got == reply else "wrong"
    if conn.got == REFUSAL:
        return "refused" if conn.end == "end of stream" else "reset"
    return "lost" if conn.got == b"" else "wrong"


def main():
    """Serves the commands."""
    wire.raise_descriptor_limit()
    storm = Storm(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "talk")
    run = {"open": storm.open, "answer": storm.answer, "close": storm.close}
    for words in wire.commands():
        wire.answer(run[words[0]]())


main()
