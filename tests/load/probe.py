"""A well-behaved client that measures its round trips: probe.py PORT CONNS.

Command: run COUNT INTERVAL_MS   sets and gets in turn, each on the next connection, one for each
interval; 0 is as fast as the replies come. Answers the times in milliseconds and how many replies
were wrong.
"""

import sys
import time

import wire

WRONG_SHOWN_MAX = 3


def exchange(conn, request, expected):
    """Sends `request`; returns the reply, which is complete if it is as long as expected."""
    conn.sendall(request)
    return wire.read_exactly(conn, len(expected))


def run(conns, count, interval):
    """Measures `count` round trips, and those that held the next one up at their full length."""
    times, wrong = [], []
    due = time.perf_counter()
    value = b""
    for number in range(count):
        if number % 2 == 0:
            value = b"%08d" % number
            request, expected = b"set probe 0 0 8\r\n" + value + b"\r\n", b"STORED\r\n"
        else:
            request = b"get probe\r\n"
            expected = b"VALUE probe 0 8\r\n" + value + b"\r\nEND\r\n"
        rest = due - time.perf_counter()
        if rest > 0:
            time.sleep(rest)
        start = time.perf_counter()
        got = exchange(conns[number % len(conns)], request, expected)
        times.append(round((time.perf_counter() - start) * 1000, 4))
        due = max(due, start - interval) + interval
        if got != expected:
            wrong.append(f"{request!r} got {got!r}")
    return {"times": times, "wrong": len(wrong), "examples": wrong[:WRONG_SHOWN_MAX]}


def main():
    """Serves the commands."""
    port, count = int(sys.argv[1]), int(sys.argv[2])
    conns = [wire.connect(port) for _ in range(count)]
    for words in wire.commands():
        wire.answer(run(conns, int(words[1]), float(words[2]) / 1000))


main()
