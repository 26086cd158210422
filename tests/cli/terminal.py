"""`memden top` in a real terminal: a pseudo-terminal on the other side of which this script sits.

    terminal.py TOP SERVER      both command lines as JSON; PORT stands for the server's port
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "clients"))
from tap import Tap

TOP, SERVER = (json.loads(text) for text in sys.argv[1:3])
SECONDS_MAX = 20
LEAVE = b"\x1b[?7h\x1b[?25h\x1b[?1049l"
HOME, DONE = b"\x1b[H", b"\x1b[J"
# What deno itself writes to a terminal on stderr when a module is loaded late.
DENO_LOADS = "\x1b[0G\x1b[2K\x1b[J"
ENV = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
ENV.pop("NO_COLOR", None)

tap = Tap()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server of its own, ended by its pid."""

    def __init__(self, port, *more):
        self.port = port
        args = [word.replace("PORT", str(port)) for word in SERVER] + list(more)
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        until(self.answers, "the server answers")

    def answers(self):
        """It accepts as soon as it listens, and answers once its threads are there."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS_MAX) as sock:
                sock.sendall(b"version\r\n")
                return sock.recv(100) != b""
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


class Terminal:
    """`memden top` with a pseudo-terminal of its own."""

    def __init__(self, *args, size=(24, 80), env=ENV):
        self.received = b""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.execvpe(TOP[0], [*TOP, *args], env)
        self.before = termios.tcgetattr(self.master)
        self.code = None

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.master, keys)

    def read(self, seconds=0.1):
        """Takes in what has come; False at the end."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            chunk = os.read(self.master, 65536)
        except OSError:  # Linux says so when the other side is closed.
            chunk = b""
        self.received += chunk
        return chunk != b""

    def raw(self):
        """The last whole picture, escape sequences included."""
        pictures = self.received.split(HOME)[1:]
        whole = [picture for picture in pictures if DONE in picture]
        return whole[-1].split(DONE)[0].decode() if whole else ""

    def picture(self):
        # The terminal's own line discipline may put a second CR before the LF.
        return re.split(r"\r*\n", re.sub(r"\x1b\[[0-9;]*[mK]", "", self.raw()))

    def shows(self, pattern):
        self.read()
        return re.search(pattern, "\n".join(self.picture()), re.M) is not None

    def wait_for(self, pattern):
        until(lambda: self.shows(pattern), pattern, lambda: "\n".join(self.picture()))

    def end(self):
        """Waits for the end; returns the exit code."""
        deadline = time.monotonic() + SECONDS_MAX
        while self.read() and time.monotonic() < deadline:
            pass
        if self.code is None:
            if time.monotonic() >= deadline:
                os.kill(self.pid, signal.SIGKILL)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def close(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def until(holds, what, detail=lambda: ""):
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"never came: {what}\n{detail()}")
        time.sleep(0.02)


class Load:
    """Two gets that hit for each that misses, without a pause."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.sendall(b"set a 0 0 100\r\n" + b"x" * 100 + b"\r\n")
        self.sock.recv(100)
        self.runs = True
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while self.runs:
            self.sock.sendall(b"get a\r\nget b\r\nget a\r\n")
            received = b""
            while received.count(b"END\r\n") < 3:
                received += self.sock.recv(4096)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.runs = False
        self.thread.join()
        self.sock.close()


def a_live_view():
    with Server(free_port()) as server, Load(server.port):
        with Terminal("-d", "0.3", f"127.0.0.1:{server.port}") as top:
            top.wait_for(r"^    /s +[1-9]\d*")
            top.wait_for(r"^  hits  6\d\.\d%")
            picture = top.picture()
            tap.equal("it fills the window", len(picture), 24)
            tap.ok("no line is wider", all(len(line) <= 80 for line in picture), str(picture))
            tap.ok("the memory bar is drawn", "█" in "\n".join(picture) or
                   "░" in "\n".join(picture), str(picture))
            tap.ok("the class of the item is there", top.shows(r"^ +\d+ +\d+ +1 +1 +\d"), str(picture))
            tap.ok("colours are used", re.search(r"\x1b\[36m", top.raw()) is not None)
            top.press(b"?")
            top.wait_for(r"^q, Ctrl-C +quit")
            top.press(b"\x1b[A")
            top.wait_for(r"\(by pages\)")
            top.press(b"s")
            top.wait_for(r"\(by items\)")
            top.press(b"p")
            top.wait_for("PAUSED")
            held = top.picture()[0]
            for _ in range(8):
                top.read()
            tap.equal("the clock stands still while paused", top.picture()[0], held)
            top.press(b"pr")
            top.wait_for(r"since \d\d:\d\d:\d\d")
            top.resize(10, 40)
            until(lambda: (top.read(), len(top.picture()) <= 10)[1], "ten rows")
            tap.ok("it follows the window", all(len(line) <= 40 for line in top.picture()),
                   str(top.picture()))
            top.press(b"q")
            tap.equal("q ends it", top.end(), 0)
            tap.ok("the screen is put back", top.received.endswith(LEAVE), repr(top.received[-80:]))
            tap.equal("and the terminal's modes", termios.tcgetattr(top.master), top.before)


def ways_to_end():
    ways = [("Ctrl-C", lambda top: top.press(b"\x03")),
            ("SIGTERM", lambda top: os.kill(top.pid, signal.SIGTERM)),
            ("SIGHUP", lambda top: os.kill(top.pid, signal.SIGHUP))]
    with Server(free_port()) as server:
        for name, way in ways:
            with Terminal(f"127.0.0.1:{server.port}") as top:
                top.wait_for("^q quit")
                way(top)
                tap.equal(f"{name} ends it", top.end(), 0)
                tap.ok(f"{name}: the screen is put back", top.received.endswith(LEAVE))
                tap.equal(f"{name}: and the modes", termios.tcgetattr(top.master), top.before)
        with Terminal("-n", "2", "-d", "0.1", f"127.0.0.1:{server.port}") as top:
            tap.equal("-n ends it", top.end(), 0)
            tap.ok("-n: the screen is put back", top.received.endswith(LEAVE))


def a_server_that_goes_away():
    port = free_port()
    with Server(port) as first, Load(port) as load:
        with Terminal("-d", "0.3", f"127.0.0.1:{port}") as top:
            top.wait_for(r"^    /s +[1-9]\d*")
            load.runs = False
            load.thread.join()
            first.stop()
            top.wait_for("trying again, no answer since")
            until(lambda: (top.read(), "\x1b[2m    /s" in top.raw())[1], "dimmed numbers")
            tap.ok("the last numbers stay", top.shows(r"^ total +[1-9]\d*"), str(top.picture()))
            with Server(port):
                until(lambda: (top.read(), "trying again" not in top.raw())[1], "a new answer")
                top.wait_for(r"^ total +0")
                tap.ok("rates begin anew", not top.shows("^    /s +[1-9]"), str(top.picture()))
                top.press(b"q")
                tap.equal("it ends as usual", top.end(), 0)


def plain_terminals():
    with Server(free_port()) as server:
        address = f"127.0.0.1:{server.port}"
        with Terminal(address, env={**ENV, "NO_COLOR": "1"}) as top:
            top.wait_for("^q quit")
            top.press(b"q")
            top.end()
            tap.ok("NO_COLOR: no colour", re.search(rb"\x1b\[[0-9;]*3\dm", top.received) is None)
        for env in [{**ENV, "TERM": "dumb"}, {k: v for k, v in ENV.items() if k != "TERM"}]:
            with Terminal("-n", "2", "-d", "0.1", address, env={**env, "LC_ALL": "C"}) as top:
                code = top.end()
                text = top.received.decode().replace(DENO_LOADS, "")
                name = f"TERM={env.get('TERM', '')}"
                tap.equal(f"{name}: two updates", (code, text.count("  memcached ")), (0, 2))
                tap.ok(f"{name}: plain ASCII", text.isascii() and "\x1b" not in text, repr(text))


def run(*args, **options):
    return subprocess.run([*TOP, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=ENV, timeout=SECONDS_MAX, **options)


def pipes():
    with Server(free_port()) as server, Load(server.port):
        address = f"127.0.0.1:{server.port}"
        done = run("-n", "3", "-d", "0.2", address)
        updates = done.stdout.strip().split("\n\n")
        tap.equal("three updates, a blank line after each", (done.returncode, len(updates)), (0, 3))
        tap.ok("each has rates", all(re.search(r"^    /s +[1-9]", it, re.M) for it in updates),
               done.stdout)
        child = subprocess.Popen([*TOP, "-d", "0.1", address], env=ENV, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        child.stdout.readline()
        child.stdout.close()
        tap.equal("it ends when nobody reads", child.wait(SECONDS_MAX), 0)
        tap.equal("without a word", child.stderr.read(), b"")
        child.stderr.close()
    done = run(address)
    tap.equal("a server that is not there", (done.returncode, done.stdout), (1, ""))
    tap.ok("is named", done.stderr == f"memden top: {address}: Connection refused\n", done.stderr)


def logins():
    with tempfile.TemporaryDirectory() as folder:
        for name, line in [("right", "user:password\nother:x\n"), ("wrong", "user:word"), ("bad", "x")]:
            with open(f"{folder}/{name}", "w") as file:
                file.write(line)
        with Server(free_port(), "-Y", f"{folder}/right") as server:
            address = f"127.0.0.1:{server.port}"
            done = run("-n", "1", "-d", "0.1", address)
            tap.ok("without a login", done.returncode == 1 and "--auth-file" in done.stderr, done.stderr)
            done = run("-n", "1", "-d", "0.1", "--auth-file", f"{folder}/wrong", address)
            tap.ok("with a wrong one", done.returncode == 1 and "refuses the login" in done.stderr,
                   done.stderr)
            done = run("-n", "1", "-d", "0.1", "--auth-file", f"{folder}/bad", address)
            tap.ok("with a file that has none", done.returncode == 1 and "user:password" in done.stderr,
                   done.stderr)
            done = run("-n", "1", "-d", "0.1", f"--auth-file={folder}/right", address)
            tap.ok("with the right one", done.returncode == 0 and "items 0" in done.stdout,
                   done.stdout + done.stderr)


def a_hostile_server():
    nasty = b"\x1b]0;owned\x07\x9b31m\xe2\x80\xae"
    general = b"".join(b"STAT %s %s\r\n" % row for row in [
        (b"version", b"1" + nasty), (b"pid", nasty), (b"uptime", b"9" * 300), (b"threads", b"-4"),
        (b"bytes", b"1e400"), (b"limit_maxbytes", b"0"), (b"cmd_get", b"9" * 40),
        (b"curr_items", b"NaN"), (b"x" + nasty, nasty)]) + b"END\r\n"
    answers = {
        b"stats": general,
        b"stats items": b"ERROR\r\n",
        b"stats slabs": b"STAT 1:chunk_size 0\r\nSTAT 1:total_chunks 0\r\nSTAT " + nasty + b"\r\nEND\r\n",
        b"stats settings": b"CLIENT_ERROR " + nasty + b"\r\n",
        b"stats conns": b"STAT 1:state " + nasty + b"\r\nEND\r\n",
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            try:
                while True:
                    conn, _ = listener.accept()
                    with conn, conn.makefile("rb") as lines:
                        for line in lines:
                            conn.sendall(answers.get(line.strip(), b"ERROR\r\n"))
            except OSError:
                pass
        threading.Thread(target=serve, daemon=True).start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        done = run("-n", "2", "-d", "0.1", address)
        text = done.stdout.replace("\n", "")
        tap.equal("its numbers stop nothing", done.returncode, 0)
        tap.ok("its text is harmless in a pipe", re.fullmatch("[ -~░█▁▂▃▄▅▆▇]*", text) is not None,
               repr(text))
        tap.ok("no line is wider", all(len(line) <= 80 for line in done.stdout.split("\n")), done.stdout)
        with Terminal(address) as top:
            top.wait_for("^q quit")
            top.press(b"q")
            tap.equal("a terminal lives through it", top.end(), 0)
            tap.ok("and gets nothing of it",
                   not any(it in top.received for it in [b"\x1b]", b"\x9b", b"\xe2\x80\xae", b"\x07"]))


tap.run([a_live_view, ways_to_end, a_server_that_goes_away, plain_terminals, pipes, logins,
         a_hostile_server])
