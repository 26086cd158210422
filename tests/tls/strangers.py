"""A server that asks for certificates and has no authorities: who shows one is turned away."""

from wire import *
from tap import Tap

tap = Tap()


def certificates():
    for version in VERSIONS:
        for name, wanted in (("client", False), ("stranger", False), (None, True)):
            for turn in range(2):
                served, _ = comes_in(made=context(version, name))
                tap.equal(f"{version.name}, {name or 'no certificate'}, {turn}", served, wanted)


tap.run([certificates])
