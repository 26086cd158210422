"""zsh's completions of memden: what is typed before Tab, and what the line is afterwards.

    zsh_completion.py FOLDER      where _memden is
"""

import os
import pty
import re
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "clients"))
from tap import Tap

SECONDS_MAX = 15
KILL_LINE = b"\x15"
FOLDER = sys.argv[1]

# Typed, and what must stand on the line after Tab.
CASES = [
    ("memden to", "memden top"),
    ("memden --max-re", "memden --max-reqs-per-event="),
    ("memden -B bi", "memden -B binary"),
    ("memden --protocol=asc", "memden --protocol=ascii"),
    ("memden -o slab_automove_w", "memden -o slab_automove_window="),
    ("memden -o modern,hash_algorithm=je", "memden -o modern,hash_algorithm=jenkins"),
    ("memden top --del", "memden top --delay="),
    ("memden top --auth-file=/etc/passw", "memden top --auth-file=/etc/passwd"),
    ("memden ping --time", "memden ping --timeout="),
]

tap = Tap()


class Shell:
    """An interactive zsh without anybody's settings."""

    def __init__(self):
        self.received = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb", "COLUMNS": "200"})
        self.send(f"fpath=({FOLDER} $fpath); autoload -Uz compinit; compinit -u -D; PS1=; PROMPT_EOL_MARK=;"
                  " bindkey -e; unsetopt automenu; print re''ady\r")
        self.wait_for("ready")

    def send(self, text):
        os.write(self.master, text if isinstance(text, bytes) else text.encode())

    def wait_for(self, text):
        deadline = time.monotonic() + SECONDS_MAX
        while text not in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.received):
            if time.monotonic() > deadline:
                return False
            if select.select([self.master], [], [], 0.1)[0]:
                self.received += os.read(self.master, 65536).decode(errors="replace")
        return True

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


def zsh():
    shell = Shell()
    for typed, expected in CASES:
        shell.received = ""
        shell.send(typed + "\t")
        tap.ok(f"{typed} becomes {expected}", shell.wait_for(expected), repr(shell.received))
        shell.send(KILL_LINE)
    shell.end()


tap.run([zsh])
