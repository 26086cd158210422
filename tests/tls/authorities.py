"""Which clients come in, by their certificates: argument 5 says what the server demands."""

import shutil

import wire
from wire import *
from tap import Tap

tap = Tap()
MODE = int(MORE_PORTS[0])


def certificates():
    for version in VERSIONS:
        for name, wanted in (("client", True), ("stranger", MODE == 0), (None, MODE < 2)):
            served, _ = comes_in(made=context(version, name))
            tap.equal(f"{version.name}, {name or 'no certificate'}", served, wanted)


def resumption():
    if MODE == 0:
        return
    for version in VERSIONS:
        made = context(version, "stranger")
        session = None
        for turn in range(4):
            served, given = comes_in(made=made, session=session)
            session = given or session
            tap.equal(f"{version.name}: a stranger's try {turn}", served, False)
        made = context(version, "client")
        _, session = comes_in(made=made)
        for turn in range(4):
            served, _ = comes_in(made=made, session=session)
            tap.equal(f"{version.name}: a client goes on, {turn}", served, True)
    tap.ok("sessions were resumed", wire.resumed > 0)


def other_authorities():
    if MODE == 0:
        return
    kept = []
    for version in VERSIONS:
        made = context(version, "client")
        for _ in range(2):  # A session is of use with the worker that gave it.
            kept.append((version, made, comes_in(made=made)[1]))
    shutil.copy(path("other.crt"), path("authorities.crt"))
    with connect(made=context(None, "client")) as sock:
        tap.equal("refresh_certs", ask(sock, b"refresh_certs\r\n"), b"OK\r\n")
    changed = lambda: all(comes_in(made=context(None, "stranger"))[0] for _ in range(4))
    tap.ok("strangers are known now", wait_for(changed))
    for version, made, session in kept:
        for turn in range(2):
            served, _ = comes_in(made=made, session=session)
            tap.equal(f"{version.name}: the other's session, {turn}", served, False)


tap.run([certificates, resumption, other_authorities])
