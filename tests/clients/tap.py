"""Results of one client's tests as TAP lines, as tap.ts prints them for the clients in TypeScript."""

import sys
import traceback

UNICODE = "ключ-日本語-🙂"
ALL_BYTES = bytes(range(256))
TRICKY = b"\r\nEND\r\nVALUE x 0 1\r\nSTORED\r\n\0\r\n"
LARGE = b"".join(b"%09d|" % number for number in range(50_000))
TOO_LARGE = b"x" * (1024 * 1024)

# After so many seconds an item of two seconds is gone. The server's clock goes by whole seconds: such
# an item lives between one and two of them, and one of a single second may be gone at once.
TWO_SECONDS_GONE = 2.6

DETAIL_CHARS_MAX = 600


class Tap:
    """Counts and prints results."""

    def __init__(self):
        self.count = 0
        self.failed = 0
        self.group = ""

    def ok(self, name, claim, detail=""):
        """Records `claim` under `name`; `detail` is printed when it does not hold."""
        self.count += 1
        if not claim:
            self.failed += 1
        print(f"{'ok' if claim else 'not ok'} {self.count} - {self.group}: {name}")
        if not claim and detail:
            for line in detail[:DETAIL_CHARS_MAX].splitlines():
                print(f"#   {line}")

    def equal(self, name, got, expected):
        """Records whether `got` equals `expected`, in type as well as in value."""
        same = type(got) is type(expected) and got == expected
        self.ok(name, same, f"got {got!r:.250}\nexpected {expected!r:.250}")

    def raises(self, name, kind, call, text=""):
        """Records whether `call()` raises `kind` with `text` in its message."""
        try:
            value = call()
        except kind as error:
            self.ok(name, text in str(error), f"raised {error!r}, which does not say {text!r}")
        except Exception as error:
            self.ok(name, False, f"raised {error!r}, not {kind.__name__}")
        else:
            self.ok(name, False, f"raised nothing and gave {value!r:.250}")

    def run(self, groups):
        """Runs functions as groups, prints the plan and ends the process."""
        for group in groups:
            self.group = group.__name__.replace("_", " ")
            try:
                group()
            except Exception:
                self.ok("runs to its end", False, traceback.format_exc()[-DETAIL_CHARS_MAX:])
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
