"""Clients nobody wants: company.py PORT KIND COUNT.

Commands: "start" sets them up; "stop" ends them and says how many were served as they should be.
The server holds 1,000,000 bytes "x" under "big" and 5 bytes "small" under "small".
"""

import socket
import sys
import time

import wire

BIG = b"VALUE big 0 1000000\r\n" + b"x" * 1_000_000 + b"\r\nEND\r\n"
SMALL = b"VALUE small 0 5\r\nsmall\r\nEND\r\n"
STORED = b"STORED\r\nDELETED\r\n"
REPLIES_UNREAD = 10
BYTE_SECONDS = 1
STUCK_BYTES = 500_000


class Company:
    """A number of clients of one kind; a kind says what it does in start, turn and stop."""

    def __init__(self, port, count):
        self.port, self.count = port, count
        self.conns = []
        self.right, self.wrong = 0, []

    def open(self, **options):
        """Opens all connections."""
        for number in range(self.count):
            self.conns.append(wire.connect(self.port, number, **options))

    def judge(self, is_right, what):
        """Counts what came out of one client."""
        if is_right:
            self.right += 1
        else:
            self.wrong.append(what)

    def expect_stored(self, conn, key):
        """Reads the reply to a set, and takes the item away again."""
        conn.sendall(b"delete " + key + b"\r\n")
        got = wire.read_exactly(conn, len(STORED))
        self.judge(got == STORED, f"set of {key.decode()} got {got!r}")

    def start(self):
        """Sets the clients up."""
        self.open()

    def turn(self):
        """Something to do until the next command; returns the seconds to rest before the next."""
        return 3600

    def stop(self):
        """Ends the clients."""
        for conn in self.conns:
            conn.close()


class SlowReaders(Company):
    """They ask for ten megabytes each, and read nothing; at the end, a few read it all."""

    def start(self):
        self.open(receive_bytes=4096)
        for conn in self.conns:
            conn.sendall(b"get big\r\n" * REPLIES_UNREAD)

    def stop(self):
        for conn in self.conns[:3]:
            conn.shutdown(socket.SHUT_WR)
            got = wire.read_all(conn)
            self.judge(got == BIG * REPLIES_UNREAD, f"{len(got)} bytes of late replies")
        super().stop()


class SlowWriters(Company):
    """They send a set one byte a second; at the end, the rest without a pause."""

    def start(self):
        self.open()
        self.sent = 0
        self.requests = [b"set slow%03d 0 0 3\r\nabc\r\n" % n for n in range(self.count)]

    def send_byte(self):
        """Sends the next byte of each."""
        for conn, request in zip(self.conns, self.requests):
            conn.sendall(request[self.sent : self.sent + 1])
        self.sent += 1

    def turn(self):
        self.send_byte()
        return BYTE_SECONDS

    def stop(self):
        while self.sent < len(self.requests[0]):
            self.send_byte()
        for number, conn in enumerate(self.conns):
            self.expect_stored(conn, b"slow%03d" % number)
        super().stop()


class HalfClosed(Company):
    """Each says that it will send no more, and reads the replies to what it has sent."""

    def start(self):
        pass

    def turn(self):
        batch = [wire.connect(self.port, number) for number in range(self.count)]
        for number, conn in enumerate(batch):
            big = number % 4 == 0
            conn.sendall(b"get big\r\nget small\r\n" if big else b"get small\r\n")
            conn.shutdown(socket.SHUT_WR)
        for number, conn in enumerate(batch):
            got = wire.read_all(conn)
            self.judge(got == (BIG if number % 4 == 0 else b"") + SMALL, f"{len(got)} bytes")
            conn.close()
        return 0.02

    def stop(self):
        pass


class Resets(Company):
    """They break off by RST: in a line, in a value, and while replies come."""

    REQUESTS = (
        b"get sm",
        b"set reset 0 0 5000\r\n" + b"r" * 1000,
        b"set reset 0 0 500000\r\n" + b"r" * 100_000,
        b"get big\r\n" * 3,
        b"get small\r\n" * 200 + b"get s",
        b"",
    )

    def start(self):
        pass

    def turn(self):
        for request in self.REQUESTS:
            batch = [wire.connect(self.port, number) for number in range(self.count)]
            for conn in batch:
                conn.sendall(request)
            for conn in batch:
                if request.startswith(b"get big"):
                    conn.recv(1000)
                wire.reset(conn)
                self.right += 1
        return 0.005

    def stop(self):
        pass


class Stuck(Company):
    """Each has sent half of a value, and then nothing; at the end, a few send the rest."""

    def start(self):
        self.open()
        half = b"s" * (STUCK_BYTES // 2)
        for number, conn in enumerate(self.conns):
            conn.sendall(b"set stuck%d 0 0 %d\r\n" % (number, STUCK_BYTES) + half)

    def stop(self):
        for number, conn in enumerate(self.conns[:3]):
            conn.sendall(b"s" * (STUCK_BYTES // 2) + b"\r\n")
            self.expect_stored(conn, b"stuck%d" % number)
        super().stop()


class Talker(Company):
    """One client that asks in batches, as often as most do at most: what there is to watch."""

    BATCH = b"get small\r\n" * 100

    def start(self):
        self.talker = wire.connect(self.port)
        self.batches = 0

    def turn(self):
        self.talker.sendall(self.BATCH)
        got = wire.read_exactly(self.talker, len(SMALL) * 100)
        self.judge(got == SMALL * 100, f"{len(got)} bytes for a batch")
        self.batches += 1
        return 0.005

    def stop(self):
        self.talker.close()
        super().stop()


class DeafWatchers(Talker):
    """They watch everything that the talker does, and read nothing; at the end, a few read it.

    Before that the talker goes on until there has been more to tell than may wait anywhere: in the
    kernel's send buffer, which grows, and in the server's rings.
    """

    LINE_BYTES = 70  # and more: a line names its time, its number and what was asked
    RINGS_BYTES = 2 << 20

    def start(self):
        super().start()
        self.open(receive_bytes=4096)
        for conn in self.conns:
            conn.sendall(b"watch fetchers mutations\r\n")
            self.judge(conn.recv(4) == b"OK\r\n", "a watcher is refused")

    def stop(self):
        most = self.RINGS_BYTES + wire.largest_send_buffer()
        while self.batches * self.BATCH.count(b"\n") * self.LINE_BYTES < most:
            self.turn()
        self.talker.close()
        for conn in self.conns[:3]:
            self.read_late(conn)
            wire.reset(conn)
        del self.conns[:3]
        Company.stop(self)

    def read_late(self, conn):
        """Reads all lines: the numbers that are missing are those it is told to have missed."""
        conn.settimeout(2)
        got = b""
        try:
            while piece := conn.recv(1 << 20):
                got += piece
        except TimeoutError:
            pass
        last, missing, skipped, told = 0, 0, 0, 0
        for line in got.split(b"\n")[:-1]:
            if line.startswith(b"skipped="):
                skipped += int(line[8:])
                told += 1
                continue
            number = int(line.split(b" gid=")[1].split(b" ")[0])
            missing += number - last - 1 if last else 0
            last = number
        is_right = told > 0 and missing == skipped
        self.judge(is_right, f"{missing} lines missing, {skipped} told of, in {told} lines")


KINDS = {
    "talker": Talker,
    "deaf-watchers": DeafWatchers,
    "slow-readers": SlowReaders,
    "slow-writers": SlowWriters,
    "half-closed": HalfClosed,
    "resets": Resets,
    "stuck": Stuck,
}


def main():
    """Serves the commands, and lets the clients do their thing between them."""
    wire.raise_descriptor_limit()
    company = KINDS[sys.argv[2]](int(sys.argv[1]), int(sys.argv[3]))
    for words in wire.commands():
        if words[0] == "start":
            company.start()
            wire.answer({})
            due = 0
            while not wire.has_command(max(0, due - time.monotonic())):
                due = time.monotonic() + company.turn()
        else:
            company.stop()
            wire.answer({"right": company.right, "wrong": company.wrong[:3]})


main()
