"""Pinterest's pymemcache: a pure Python client over the text protocol, with pools and hashing."""

import json
import re
import sys
import threading
import time

from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import (
    MemcacheClientError,
    MemcacheIllegalInputError,
    MemcacheServerError,
    MemcacheUnknownCommandError,
)
from tap import ALL_BYTES, LARGE, TOO_LARGE, TRICKY, TWO_SECONDS_GONE, UNICODE, Tap

SERVER = (sys.argv[1], int(sys.argv[2]))
tap = Tap()


def connect(**options):
    return Client(SERVER, connect_timeout=5, timeout=10, default_noreply=False, **options)


client = connect()


def get_and_set():
    tap.equal("get of an unknown key", client.get("py:none"), None)
    tap.equal("get with a default", client.get("py:none", "default"), "default")
    tap.equal("set", client.set("py:a", b"one"), True)
    tap.equal("get", client.get("py:a"), b"one")
    client.set("py:a", b"two")
    tap.equal("get sees the new value", client.get("py:a"), b"two")
    for name, value in [("empty value", b""), ("every byte", ALL_BYTES), ("protocol in a value", TRICKY)]:
        client.set("py:v", value)
        tap.equal(name, client.get("py:v"), value)
    client.set("py:v", UNICODE.encode() * 50)
    tap.equal("unicode text", client.get("py:v"), UNICODE.encode() * 50)


def flags_and_serde():
    class JsonSerde:
        """Text as it is with flags 1, anything else as JSON with the highest flags there are."""

        def serialize(self, key, value):
            return (value.encode(), 1) if isinstance(value, str) else (json.dumps(value), 2**32 - 1)

        def deserialize(self, key, value, flags):
            if flags == 1:
                return value.decode()
            if flags == 2**32 - 1:
                return json.loads(value)
            raise ValueError(f"unknown flags {flags}")

    typed = connect(serde=JsonSerde())
    typed.set("py:text", UNICODE)
    tap.equal("text", typed.get("py:text"), UNICODE)
    typed.set("py:json", {"list": [1, "two", None]})
    tap.equal("object", typed.get("py:json"), {"list": [1, "two", None]})
    typed.close()


def add_and_replace():
    tap.equal("replace of a missing key", client.replace("py:ar", b"x"), False)
    tap.equal("add of a missing key", client.add("py:ar", b"first"), True)
    tap.equal("add of a present key", client.add("py:ar", b"x"), False)
    tap.equal("refused add changes nothing", client.get("py:ar"), b"first")
    tap.equal("replace of a present key", client.replace("py:ar", b"second"), True)
    tap.equal("get sees the replacement", client.get("py:ar"), b"second")


def append_and_prepend():
    tap.equal("append to a missing key", client.append("py:ap", b"x"), False)
    tap.equal("prepend to a missing key", client.prepend("py:ap", b"x"), False)
    client.set("py:ap", b"middle")
    tap.equal("append", client.append("py:ap", b">"), True)
    tap.equal("prepend", client.prepend("py:ap", b"<"), True)
    tap.equal("get sees both", client.get("py:ap"), b"<middle>")


def gets_and_cas():
    tap.equal("gets of an unknown key", client.gets("py:none"), (None, None))
    client.set("py:cas", b"old")
    value, cas = client.gets("py:cas")
    tap.equal("gets gives the value", value, b"old")
    tap.ok("gets gives a number as cas", cas.isdigit(), repr(cas))
    tap.equal("cas with it", client.cas("py:cas", b"new", cas), True)
    tap.equal("cas with it again", client.cas("py:cas", b"newer", cas), False)
    tap.equal("the second one changes nothing", client.get("py:cas"), b"new")
    tap.equal("cas of a missing key", client.cas("py:none", b"x", cas), None)


def incr_and_decr():
    tap.equal("incr of a missing key", client.incr("py:none", 1), None)
    tap.equal("decr of a missing key", client.decr("py:none", 1), None)
    client.set("py:n", b"10")
    tap.equal("incr", client.incr("py:n", 5), 15)
    tap.equal("decr", client.decr("py:n", 4), 11)
    tap.equal("decr stops at 0", client.decr("py:n", 1000), 0)
    client.set("py:n", b"18446744073709551614")
    tap.equal("incr to the last of 64 bits", client.incr("py:n", 1), 2**64 - 1)
    tap.equal("incr turns over", client.incr("py:n", 1), 0)
    client.set("py:n", b"word")
    tap.raises("incr of a word", MemcacheClientError, lambda: client.incr("py:n", 1), "non-numeric")


def delete_and_touch():
    client.set("py:d", b"x")
    tap.equal("touch", client.touch("py:d", 100), True)
    tap.equal("delete", client.delete("py:d"), True)
    tap.equal("get after delete", client.get("py:d"), None)
    tap.equal("delete again", client.delete("py:d"), False)
    tap.equal("touch of a missing key", client.touch("py:d", 100), False)


def expiry():
    client.set("py:brief", b"x", expire=2)
    client.set("py:long", b"x", expire=100)
    client.set("py:date", b"x", expire=int(time.time()) + 100)
    client.set("py:past", b"x", expire=int(time.time()) - 100)
    client.set("py:negative", b"x", expire=-1)
    client.set("py:shortened", b"x", expire=100)
    client.set("py:prolonged", b"x", expire=2)
    client.touch("py:shortened", 1)
    client.touch("py:prolonged", 100)
    tap.equal("a date long past", client.get("py:past"), None)
    tap.equal("a negative time has passed at once", client.get("py:negative"), None)
    tap.equal("two seconds are not over at once", client.get("py:brief"), b"x")
    time.sleep(TWO_SECONDS_GONE)
    tap.equal("two seconds are over", client.get("py:brief"), None)
    tap.equal("a hundred are not", client.get("py:long"), b"x")
    tap.equal("nor is a date to come", client.get("py:date"), b"x")
    tap.equal("touch shortens", client.get("py:shortened"), None)
    tap.equal("touch prolongs", client.get("py:prolonged"), b"x")


def many_keys_at_once():
    values = {f"py:m{number}": b"v%d" % number for number in range(500)}
    tap.equal("set_many", client.set_many(values), [])
    tap.equal("get_many", client.get_many(values), values)
    mixed = client.get_many(["py:m0", "py:none", "py:m1"])
    tap.equal("leaves out unknown keys", mixed, {"py:m0": b"v0", "py:m1": b"v1"})
    tap.equal("of unknown keys only", client.get_many(["py:none", "py:no"]), {})
    found = client.gets_many(["py:m0", "py:m1"])
    tap.equal("gets_many gives values", [value for value, _ in found.values()], [b"v0", b"v1"])
    tap.ok("and a cas for each", found["py:m0"][1] != found["py:m1"][1], repr(found))
    tap.equal("delete_many", client.delete_many(list(values)[:250]), True)
    tap.equal("half of them are gone", len(client.get_many(values)), 250)


def noreply():
    client.set("py:q", b"1", noreply=True)
    client.incr("py:q", 4, noreply=True)
    client.append("py:q", b"0", noreply=True)
    client.add("py:q", b"x", noreply=True)
    client.touch("py:q", 100, noreply=True)
    client.cas("py:q", b"x", b"1", noreply=True)
    tap.equal("set, incr and append work silently", client.get("py:q"), b"50")
    client.delete("py:q", noreply=True)
    tap.equal("so does delete", client.get("py:q"), None)
    client.flush_all(noreply=True)
    client.replace("py:q", b"x", noreply=True)
    tap.equal("the conn is still in step", client.set("py:q", b"y"), True)


def keys():
    unicode_client = connect(allow_unicode_keys=True)
    unicode_client.set(UNICODE, b"unicode key")
    tap.equal("unicode key", unicode_client.get(UNICODE), b"unicode key")
    unicode_client.close()
    prefixed = connect(key_prefix=b"prefix:")
    prefixed.set("x", b"prefixed")
    tap.equal("prefix goes before the key", client.get("prefix:x"), b"prefixed")
    tap.equal("get_many takes it off again", prefixed.get_many(["x"]), {"x": b"prefixed"})
    prefixed.close()
    client.set("k" * 250, b"longest")
    tap.equal("key of 250 bytes", client.get("k" * 250), b"longest")
    too_long = lambda: client.get("k" * 251)
    tap.raises("key of 251 bytes, which the client refuses", MemcacheIllegalInputError, too_long)
    odd = b"\x01\x7f" + bytes(range(0x80, 0x100))
    client.set(odd, b"odd")
    tap.equal("key of odd bytes", client.get(odd), b"odd")


def large_values():
    tap.equal("set of 500 KB", client.set("py:large", LARGE), True)
    tap.ok("get of 500 KB", client.get("py:large") == LARGE)
    refused = lambda: client.set("py:large", TOO_LARGE)
    tap.raises("set of 1 MiB", MemcacheServerError, refused, "object too large for cache")
    tap.equal("and removes the old value", client.get("py:large"), None)
    tap.equal("the conn is still in step", client.set("py:large", b"x"), True)


def in_parallel():
    client.set("py:count", b"0")
    pool = PooledClient(SERVER, max_pool_size=8, timeout=10, default_noreply=False)
    wrong = []

    def work(worker):
        for number in range(250):
            key = f"py:p{worker}-{number}"
            pool.set(key, b"%d" % number)
            if pool.get(key) != b"%d" % number:
                wrong.append(key)
            pool.incr("py:count", 1)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.equal("8 threads read what they wrote", wrong, [])
    tap.equal("2000 incrs of one key", client.get("py:count"), b"2000")
    pool.close()


def hashing():
    hashed = HashClient([SERVER], use_pooling=True, default_noreply=False)
    hashed.set_many({"py:h1": b"1", "py:h2": b"2"})
    tap.equal("HashClient", hashed.get_many(["py:h1", "py:h2"]), {"py:h1": b"1", "py:h2": b"2"})
    hashed.close()


def server():
    version = client.version()
    tap.ok("version", re.match(rb"\d+\.\d+\.\d+", version), repr(version))
    stats = client.stats()
    tap.equal("stats names the version", stats[b"version"], version)
    tap.ok("stats counts gets", stats[b"cmd_get"] > 2000, repr(stats.get(b"cmd_get")))
    tap.equal("stats settings", client.stats("settings")[b"tcpport"], SERVER[1])
    tap.ok("stats slabs", client.stats("slabs")[b"active_slabs"] > 0)
    tap.ok("stats items", any(name.startswith(b"items:") for name in client.stats("items")))
    tap.equal("cache_memlimit", client.cache_memlimit(64), True)
    tap.raises("unknown stats", MemcacheUnknownCommandError, lambda: client.stats("no_such"))


def flush():
    client.set("py:f", b"x")
    tap.equal("flush_all", client.flush_all(), True)
    tap.equal("get after it", client.get("py:f"), None)
    tap.equal("set after it", client.set("py:f", b"y"), True)
    tap.equal("get of that", client.get("py:f"), b"y")


def quit_and_reconnect():
    client.set("py:r", b"x")
    client.quit()
    tap.equal("the next call opens a new conn", client.get("py:r"), b"x")


tap.run([
    get_and_set,
    flags_and_serde,
    add_and_replace,
    append_and_prepend,
    gets_and_cas,
    incr_and_decr,
    delete_and_touch,
    expiry,
    many_keys_at_once,
    noreply,
    keys,
    large_values,
    in_parallel,
    hashing,
    server,
    flush,
    quit_and_reconnect,
])
