"""Whether a server with these files speaks TLS at all."""

from wire import *
from tap import Tap

tap = Tap()


def served():
    for version in VERSIONS:
        tap.equal(version.name, comes_in(made=context(version))[0], True)


tap.run([served])
