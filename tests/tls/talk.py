"""What clients do with a server that speaks TLS and asks them for nothing."""

import os
import random
import select
import signal
import socket
import shutil
import ssl
import struct
import subprocess
import time

from wire import *
from tap import Tap

tap = Tap()
MEGABYTE = 1_000_000


def versions():
    for version in VERSIONS:
        with connect(made=context(version)) as sock:
            tap.equal(f"{version.name} is spoken", ask(sock, b"mn\r\n"), b"MN\r\n")
        made = context(version)
        with connect(made=made) as first:
            ask(first, b"mn\r\n")
            session = first.session
        with connect(made=made, session=session) as second:
            tap.equal(f"{version.name}: goes on with a session", ask(second, b"mn\r\n"), b"MN\r\n")


def openssl_client():
    for option in ("-tls1_2", "-tls1_3"):
        command = ["openssl", "s_client", "-quiet", option, "-connect", f"{HOST}:{PORT}"]
        talk = b"set s 0 0 3\r\nabc\r\nget s\r\nquit\r\n"
        got = subprocess.run(command, input=talk, capture_output=True, timeout=PATIENCE).stdout
        tap.equal(option, got, b"STORED\r\nVALUE s 0 3\r\nabc\r\nEND\r\n")
    for option in ("-tls1", "-tls1_1"):
        command = ["openssl", "s_client", "-quiet", option, "-cipher", "ALL:@SECLEVEL=0"]
        command += ["-connect", f"{HOST}:{PORT}"]
        ended = subprocess.run(command, input=b"mn\r\n", capture_output=True, timeout=PATIENCE)
        tap.ok(f"{option} is refused", b"MN" not in ended.stdout and ended.returncode != 0)


def large_values():
    for version in VERSIONS:
        with connect(made=context(version)) as sock:
            value = random.Random(7).randbytes(MEGABYTE)
            data = b"set large 0 0 %d\r\n" % len(value) + value + b"\r\n"
            at = 0
            draw = random.Random(8)
            while at < len(data):
                count = draw.choice((1, 7, 100, 4095, 16384, 16385, 70_001))
                sock.sendall(data[at : at + count])
                at += count
            tap.equal(f"{version.name}: stored", read_until(sock, b"\r\n"), b"STORED\r\n")
            sock.sendall(b"get large\r\n")
            wanted = b"VALUE large 0 %d\r\n" % len(value) + value + b"\r\nEND\r\n"
            got = b""
            while len(got) < len(wanted):
                got += sock.recv(draw.choice((1, 9, 5000, 20_000, 65_536)))
            tap.ok(f"{version.name}: read back in odd pieces", got == wanted)


def pipelining():
    with connect() as sock:
        talk = b"".join(b"set p%d 0 0 5\r\n%05d\r\nget p%d\r\n" % (n, n, n) for n in range(2000))
        wanted = b"".join(
            b"STORED\r\nVALUE p%d 0 5\r\n%05d\r\nEND\r\n" % (n, n) for n in range(2000)
        )
        got = send_and_read(sock, talk, len(wanted))
        tap.ok("4,000 commands without waiting", got == wanted)


def many_values():
    with connect() as sock:
        value = os.urandom(20_000)
        for n in range(40):
            sock.sendall(b"set v%d 0 0 20000\r\n" % n + value + b"\r\n")
            read_until(sock, b"\r\n")
        keys = [b"v%d" % n for n in range(40)]
        wanted = b"".join(b"VALUE %s 0 20000\r\n" % key + value + b"\r\n" for key in keys)
        sock.sendall(b"get " + b" ".join(keys) + b"\r\n")
        got = b""
        while len(got) < len(wanted) + 5:
            got += sock.recv(65536)
        tap.ok("values sent by reference", got == wanted + b"END\r\n")


def slow_reader():
    with connect() as sock:
        value = random.Random(9).randbytes(MEGABYTE)
        sock.sendall(b"set slow 0 0 %d\r\n" % len(value) + value + b"\r\n")
        read_until(sock, b"\r\n")
        before = rss_kb()
        sock.sendall(b"get slow\r\n" * 10 + b"quit\r\n")
        time.sleep(1)
        grown = rss_kb() - before
        tap.ok("10 MB that wait take no memory", grown < 6000, f"{grown} kB more")
        with connect() as other:
            tap.equal("others are served", ask(other, b"mn\r\n"), b"MN\r\n")
        one = b"VALUE slow 0 %d\r\n" % len(value) + value + b"\r\nEND\r\n"
        got = bytearray()
        while piece := sock.recv(65536):
            got += piece
        tap.ok("all of it comes, up to the end", bytes(got) == one * 10, f"{len(got)} bytes")


def ends():
    with connect() as sock:
        tap.equal("quit is answered by close_notify", ask_end(sock, b"quit\r\n"), b"")
    sock = connect()
    sock.sendall(b"mn\r\n")
    read_until(sock, b"\r\n")
    sock.unwrap()
    tap.ok("close_notify is answered by one", True)
    sock = connect()
    conns = number("curr_connections")
    sock.sendall(b"mn\r\n")
    read_until(sock, b"\r\n")
    socket.socket.shutdown(sock, socket.SHUT_WR)
    tap.equal("an end without close_notify is an end", sock.recv(10), b"")
    sock.close()
    sock = connect()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    tap.ok("a reset is an end", wait_for(lambda: number("curr_connections") <= conns))
    # The record and the end of the stream in one packet, and no close_notify.
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    plain, client = raw(), context().wrap_bio(incoming, outgoing)
    while True:
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            plain.sendall(outgoing.read())
            incoming.write(plain.recv(65536))
    client.write(b"set end 0 0 1\r\nx\r\n")
    last = outgoing.read()
    plain.sendall(last[:-1])
    time.sleep(0.1)
    plain.sendall(last[-1:] + b"\x17")
    plain.shutdown(socket.SHUT_WR)
    while plain.recv(65536):
        pass
    tap.ok("half a record and an end", True)
    with connect() as other:
        tap.equal("what came before counts", ask(other, b"get end\r\n", b"END\r\n")[:5], b"VALUE")


def ask_end(sock, line):
    sock.sendall(line)
    return sock.recv(100)


def open_client():
    """A client that says when its records are sent: the connection, its TLS, what comes, what goes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    plain, client = raw(), context().wrap_bio(incoming, outgoing)
    while True:
        try:
            client.do_handshake()
            plain.sendall(outgoing.read())
            time.sleep(0.1)
            return plain, client, incoming, outgoing
        except ssl.SSLWantReadError:
            plain.sendall(outgoing.read())
            incoming.write(plain.recv(65536))


def read_rest(plain, client, incoming):
    """Everything that comes until the end of the stream, decrypted."""
    got = b""
    while piece := plain.recv(65536):
        incoming.write(piece)
        try:
            while more := client.read(65536):
                got += more
        except ssl.SSLError:
            pass
    return got


def last_requests():
    plain, client, incoming, outgoing = open_client()
    client.write(b"mn\r\n")
    try:
        client.unwrap()
    except ssl.SSLError:
        pass
    plain.sendall(outgoing.read())
    tap.equal("close_notify with a request", read_rest(plain, client, incoming), b"MN\r\n")
    plain, client, incoming, outgoing = open_client()
    client.write(b"mn\r\n" * 5000)
    plain.sendall(outgoing.read())
    plain.shutdown(socket.SHUT_WR)
    got = read_rest(plain, client, incoming)
    tap.equal("requests before an end without close_notify", len(got), 5000 * 4)


def lines_of(watcher):
    """The lines that a watcher is sent before a second without any."""
    watcher.settimeout(1)
    got = b""
    try:
        while piece := watcher.recv(65536):
            got += piece
    except TimeoutError:
        pass
    return got.split(b"\n")[:-1]


def bad_clients():
    errors = number("ssl_handshake_errors")
    watcher = connect()
    tap.equal("somebody watches", ask(watcher, b"watch connevents\r\n"), b"OK\r\n")
    plain = raw()
    plain.sendall(b"get k\r\n" * 10)
    got = b""
    try:
        while piece := plain.recv(1000):
            got += piece
    except ConnectionResetError:
        pass
    tap.ok("plain text is turned away", b"END" not in got, repr(got))
    raw().close()
    sock = raw()
    sock.sendall(os.urandom(3000))
    sock.close()
    tap.ok("and counted", wait_for(lambda: number("ssl_handshake_errors") >= errors + 3))
    told = [line for line in lines_of(watcher) if b" type=conntlserr fd=" in line]
    tap.equal("each is told of", len(told), 3)
    tap.ok("in words", all(b" msg=" in line and len(line.split(b"msg=")[1]) > 5 for line in told))
    tap.ok("the runtime's where it has any", any(b"SSL" in line or b"http" in line for line in told))
    print(*told, sep="\n")
    watcher.close()
    silent = raw()
    started = time.monotonic()
    closed = silent.recv(10) == b""
    waited = time.monotonic() - started
    tap.ok("a silent client is closed", closed and waited > 5, f"{closed} after {waited:.1f} s")
    tap.ok("and counted", wait_for(lambda: number("ssl_handshake_errors") >= errors + 4))


def spoiled_record():
    errors = number("ssl_proto_errors")
    sock = connect()
    ask(sock, b"mn\r\n")
    plain = socket.socket(fileno=os.dup(sock.fileno()))
    plain.settimeout(PATIENCE)
    plain.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
    while plain.recv(1000):
        pass
    tap.ok("ends the connection", True)
    tap.ok("and is counted", wait_for(lambda: number("ssl_proto_errors") > errors))
    plain.close()
    sock.close()


def new_keys():
    """OpenSSL's client makes new keys, or asks for a new handshake, at a line of K or R."""
    for option, letter in (("-tls1_3", "K"), ("-tls1_2", "R")):
        lines = f"sleep 1; for i in $(seq 20); do echo {letter}; sleep 0.02; done; sleep 0.5"
        talk = f"({lines}; echo version; sleep 0.5; echo quit; sleep 0.5)"
        client = f"openssl s_client {option} -connect {HOST}:{PORT} 2>&1"
        command = ["sh", "-c", f"{talk} | {client}"]
        got = subprocess.run(command, capture_output=True, timeout=PATIENCE).stdout
        if letter == "K":
            tap.ok("20 new keys", b"VERSION 1." in got, repr(got[-300:]))
        with connect() as other:
            tap.equal(f"{option}: the server goes on", ask(other, b"mn\r\n"), b"MN\r\n")


def renewal():
    old = ssl.get_server_certificate((HOST, PORT))
    stays = connect()
    for name in ("crt", "key"):
        shutil.copy(path(f"renewed.{name}"), path(f"used.{name}"))
    tap.equal("refresh_certs", ask(stays, b"refresh_certs\r\n"), b"OK\r\n")
    seen = lambda: ssl.get_server_certificate((HOST, PORT))
    # Each worker is told for itself: as many connections in a row as there are workers.
    renewed = lambda: all(seen() != old for _ in range(8))
    tap.ok("new connections see the new one", wait_for(renewed))
    tap.equal("an open one stays", ask(stays, b"mn\r\n"), b"MN\r\n")
    tap.ok("its time is in stats", number("time_since_server_cert_refresh") < 60)
    shutil.copy(path("junk.pem"), path("used.crt"))
    got = ask(stays, b"refresh_certs\r\n")
    tap.ok("a broken file is refused", got.startswith(b"SERVER_ERROR Error loading"), repr(got))
    os.kill(PID, signal.SIGHUP)
    time.sleep(0.3)
    tap.ok("and not used", renewed() and ask(stays, b"mn\r\n") == b"MN\r\n")
    shutil.copy(path("server.crt"), path("used.crt"))
    got = ask(stays, b"refresh_certs\r\n")
    tap.equal("nor one of another key", got, b"SERVER_ERROR Error validating the certificate\r\n")
    shutil.copy(path("server.key"), path("used.key"))
    os.kill(PID, signal.SIGHUP)
    tap.ok("SIGHUP reads them, too", wait_for(lambda: all(seen() == old for _ in range(8))))
    stays.close()


def churn():
    for _ in range(300):
        comes_in()
    before = rss_kb()
    fds = len(os.listdir(f"/proc/{PID}/fd"))
    made = context()
    for n in range(2000):
        if n % 4 == 3:
            sock = raw()
            sock.sendall(b"get k\r\n")
            sock.recv(100)
            sock.close()
        else:
            sock = made.wrap_socket(raw())
            sock.sendall(b"mn\r\n")
            sock.recv(100)
            sock.close()
    grown = rss_kb() - before
    # Sessions that have ended wait for a collection, 512 of 9 KB in each of two workers.
    tap.ok("2,000 connections leave no memory behind", grown < 16_000, f"{grown} kB more")
    open_fds = lambda: len(os.listdir(f"/proc/{PID}/fd"))
    tap.ok("and no descriptors", wait_for(lambda: open_fds() <= fds), f"{fds}, then {open_fds()}")


tap.run(
    [
        versions,
        openssl_client,
        large_values,
        pipelining,
        many_values,
        slow_reader,
        ends,
        last_requests,
        bad_clients,
        spoiled_record,
        new_keys,
        renewal,
        churn,
    ]
)
