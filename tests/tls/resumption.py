"""Clients that go on with their sessions, with a session cache and several workers."""

import os
import re
import subprocess
import tempfile

from wire import *
from tap import Tap

tap = Tap()
TIMES = 8


def new_sessions(sock):
    return int(stats(sock)["ssl_new_sessions"])


def python_client():
    with connect() as control:
        for version in VERSIONS:
            for name in (None, "client"):
                made, session = context(version, name), None
                before = new_sessions(control)
                reused = []
                for _ in range(TIMES):
                    with connect(made=made, session=session) as sock:
                        tap.equal(f"{version.name} is served", ask(sock, b"mn\r\n"), b"MN\r\n")
                        reused.append(sock.session_reused)
                        session = sock.session
                what = f"{version.name}, {name or 'no certificate'}"
                tap.equal(f"{what}: every one but the first", reused, [False] + [True] * (TIMES - 1))
                tap.equal(f"{what}: counted once", new_sessions(control) - before, 1)


def first_session():
    """The session of the first connection goes on being good."""
    with connect() as control:
        for version in VERSIONS:
            made = context(version)
            with connect(made=made) as first:
                ask(first, b"mn\r\n")
                session = first.session
            before = new_sessions(control)
            for turn in range(TIMES):
                with connect(made=made, session=session) as sock:
                    ask(sock, b"mn\r\n")
                    tap.equal(f"{version.name}, {turn}", sock.session_reused, True)
            tap.equal(f"{version.name}: no new ones", new_sessions(control) - before, 0)


def talk_of(command):
    """What openssl says until it is answered, and has so got what the handshake gives."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, **pipes) as client:
        client.stdin.write(b"mn\r\n")
        client.stdin.flush()
        got = b""
        while b"MN\r\n" not in got and (piece := client.stdout.read1(65536)):
            got += piece
        return got + client.communicate(b"quit\r\n", timeout=PATIENCE)[0]


def openssl_client():
    with connect() as control:
        for option in ("-tls1_2", "-tls1_3"):
            with tempfile.TemporaryDirectory() as folder:
                file = os.path.join(folder, "session")
                before = new_sessions(control)
                seen = []
                for turn in range(TIMES):
                    given = ["-sess_in", file] if turn > 0 else []
                    command = ["openssl", "s_client", option, "-connect", f"{HOST}:{PORT}"]
                    got = talk_of(command + ["-sess_out", file] + given)
                    seen += re.findall(rb"^(New|Reused), TLS", got, re.M)[:1]
                wanted = [b"New"] + [b"Reused"] * (TIMES - 1)
                tap.equal(f"{option}: -sess_out and -sess_in", seen, wanted)
                tap.equal(f"{option}: counted once", new_sessions(control) - before, 1)


def no_sessions():
    """Without a session they are dealt one after the other, and all are new."""
    with connect() as control:
        for version in VERSIONS:
            before = new_sessions(control)
            for _ in range(TIMES):
                tap.equal(f"{version.name} is served", comes_in(made=context(version))[0], True)
            tap.equal(f"{version.name}: each is new", new_sessions(control) - before, TIMES)


def foreign_tickets():
    """A ticket that nobody knows, and one that is spoilt, make a new session."""
    for version in VERSIONS:
        made = context(version)
        with connect(made=made) as sock:
            ask(sock, b"mn\r\n")
            session = sock.session
        bio_in, bio_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = made.wrap_bio(bio_in, bio_out, session=session)
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = bio_out.read()
        for cut in (1, 5, 20, len(hello) - 1):
            with raw() as plain:
                plain.sendall(hello[:cut])
                time.sleep(0.05)
                plain.sendall(hello[cut:])
                tap.equal(f"{version.name}, cut at {cut}", plain.recv(1), b"\x16")
        with raw() as plain:
            at = hello.find(session.id) if len(session.id) > 0 else 40
            plain.sendall(bytes(byte ^ (at > 0 and n > 200) for n, byte in enumerate(hello)))
            tap.ok(f"{version.name}: spoilt, answered or closed", len(plain.recv(1)) <= 1)


def silent_clients():
    """Nobody waits for who says nothing."""
    silent = [raw() for _ in range(20)]
    tap.equal("others are served", comes_in()[0], True)
    for sock in silent[:10]:
        sock.close()
    for sock in silent[10:]:
        sock.sendall(b"\x16\x03")
    tap.equal("others are served", comes_in()[0], True)
    for sock in silent[10:]:
        sock.close()
    tap.ok("they are gone", wait_for(lambda: number("curr_connections") == 1))


tap.run([python_client, first_session, openssl_client, no_sessions, foreign_tickets, silent_clients])
