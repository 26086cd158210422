"""Listeners of each kind side by side: plain, TLS, TLS with the clients' certificates."""

from wire import *
from tap import Tap

tap = Tap()
PLAIN, MUTUAL, BASIC = MORE_PORTS


def side_by_side():
    with raw(PLAIN) as sock:
        tap.equal("notls: stores", ask(sock, b"set k 0 0 1\r\nx\r\n"), b"STORED\r\n")
    with connect(BASIC) as sock:
        tap.equal("btls: reads it", ask(sock, b"get k\r\n", b"END\r\n"), b"VALUE k 0 1\r\nx\r\nEND\r\n")
    with connect(MUTUAL, context(None, "client")) as sock:
        tap.equal("mtls: reads it", ask(sock, b"get k\r\n", b"END\r\n"), b"VALUE k 0 1\r\nx\r\nEND\r\n")
    tap.equal("mtls: refuses a stranger", comes_in(MUTUAL, context(None, "stranger"))[0], False)
    tap.equal("mtls: refuses nobody's client", comes_in(MUTUAL)[0], False)
    tap.equal("btls: asks for nothing", comes_in(BASIC, context(None, "stranger"))[0], True)


def sessions_of_others():
    for version in VERSIONS:
        for name in (None, "stranger"):
            made = context(version, name)
            for turn in range(4):
                _, session = comes_in(BASIC, made)
                served, _ = comes_in(MUTUAL, made, session)
                tap.equal(f"{version.name}, {name}: btls to mtls, {turn}", served, False)


tap.run([side_by_side, sessions_of_others])
