"""pylibmc: libmemcached, the C library, under Python. With --binary over the binary protocol,
and with name and password behind that after a SASL login."""

import re
import sys
import threading
import time

import pylibmc
from tap import ALL_BYTES, LARGE, TOO_LARGE, TRICKY, TWO_SECONDS_GONE, UNICODE, Tap

SERVER = f"{sys.argv[1]}:{sys.argv[2]}"
BINARY = "--binary" in sys.argv
LOGIN = dict(zip(("username", "password"), sys.argv[4:6]))
NAME = "plb" if BINARY else "pl"
tap = Tap()


def connect(**behaviors):
    defaults = {"cas": True, "tcp_nodelay": True, "ketama": True}
    return pylibmc.Client([SERVER], binary=BINARY, behaviors={**defaults, **behaviors}, **LOGIN)


client = connect()


def key(name):
    return f"{NAME}:{name}"


def get_and_set():
    tap.equal("get of an unknown key", client.get(key("none")), None)
    tap.equal("get with a default", client.get(key("none"), "default"), "default")
    tap.equal("set", client.set(key("a"), "one"), True)
    tap.equal("get", client.get(key("a")), "one")
    client[key("a")] = "two"
    tap.equal("set and get as items", client[key("a")], "two")
    tap.raises("item of an unknown key", KeyError, lambda: client[key("none")])
    tap.ok("in", key("a") in client and key("none") not in client)


def types_by_flags():
    values = [
        ("bytes", ALL_BYTES),
        ("empty bytes", b""),
        ("protocol in a value", TRICKY),
        ("unicode text", UNICODE * 50),
        ("int", -42),
        ("large int", 2**70),
        ("pickled object", {"list": [1, "two", None], "nested": (1.5, b"x")}),
    ]
    for name, value in values:
        client.set(key("v"), value)
        tap.equal(name, client.get(key("v")), value)


def compression():
    text = "to be compressed " * 200_000
    tap.raises("text of 3 MB", pylibmc.TooBig, lambda: client.set(key("gz"), text))
    tap.equal("fits compressed", client.set(key("gz"), text, min_compress_len=1000), True)
    tap.ok("and comes back", client.get(key("gz")) == text)


def add_and_replace():
    if BINARY:
        replace = lambda: client.replace(key("ar"), "x")
        tap.raises("replace of a missing key", pylibmc.NotFound, replace)
    else:
        tap.equal("replace of a missing key", client.replace(key("ar"), "x"), False)
    tap.equal("add of a missing key", client.add(key("ar"), "first"), True)
    tap.equal("add of a present key", client.add(key("ar"), "x"), False)
    tap.equal("refused add changes nothing", client.get(key("ar")), "first")
    tap.equal("replace of a present key", client.replace(key("ar"), "second"), True)
    tap.equal("get sees the replacement", client.get(key("ar")), "second")


def append_and_prepend():
    tap.equal("append to a missing key", client.append(key("ap"), "x"), False)
    tap.equal("prepend to a missing key", client.prepend(key("ap"), "x"), False)
    client.set(key("ap"), "middle")
    tap.equal("append", client.append(key("ap"), ">"), True)
    tap.equal("prepend", client.prepend(key("ap"), "<"), True)
    tap.equal("get sees both", client.get(key("ap")), "<middle>")


def gets_and_cas():
    tap.equal("gets of an unknown key", client.gets(key("none")), (None, None))
    client.set(key("cas"), "old")
    value, cas = client.gets(key("cas"))
    tap.equal("gets gives the value", value, "old")
    tap.ok("and a number as cas", isinstance(cas, int) and cas > 0, repr(cas))
    tap.equal("cas with it", client.cas(key("cas"), "new", cas), True)
    tap.equal("cas with it again", client.cas(key("cas"), "newer", cas), False)
    tap.equal("the second one changes nothing", client.get(key("cas")), "new")
    missing = lambda: client.cas(key("none"), "x", cas)
    tap.raises("cas of a missing key", pylibmc.NotFound, missing)


def incr_and_decr():
    tap.raises("incr of a missing key", pylibmc.NotFound, lambda: client.incr(key("none")))
    tap.raises("decr of a missing key", pylibmc.NotFound, lambda: client.decr(key("none")))
    client.set(key("n"), 10)
    tap.equal("incr", client.incr(key("n"), 5), 15)
    tap.equal("decr", client.decr(key("n"), 4), 11)
    tap.equal("get sees the sum", client.get(key("n")), 11)
    tap.equal("decr stops at 0", client.decr(key("n"), 1000), 0)
    client.set_multi({"i1": 1, "i2": 2}, key_prefix=key(""))
    client.incr_multi(["i1", "i2"], key_prefix=key(""), delta=10)
    found = client.get_multi(["i1", "i2"], key_prefix=key(""))
    tap.equal("incr_multi", found, {"i1": 11, "i2": 12})
    client.set(key("n"), "word")
    refusal = pylibmc.UnknownReadFailure if BINARY else pylibmc.ClientError
    tap.raises("incr of a word", refusal, lambda: client.incr(key("n")))


def delete_and_touch():
    client.set(key("d"), "x")
    tap.equal("touch", client.touch(key("d"), 100), True)
    tap.equal("delete", client.delete(key("d")), True)
    tap.equal("get after delete", client.get(key("d")), None)
    tap.equal("delete again", client.delete(key("d")), False)
    tap.equal("touch of a missing key", client.touch(key("d"), 100), False)


def expiry():
    client.set(key("brief"), "x", time=2)
    client.set(key("long"), "x", time=100)
    client.set(key("date"), "x", time=int(time.time()) + 100)
    client.set(key("past"), "x", time=int(time.time()) - 100)
    client.set(key("shortened"), "x", time=100)
    client.set(key("prolonged"), "x", time=2)
    client.touch(key("shortened"), 1)
    client.touch(key("prolonged"), 100)
    tap.equal("a date long past", client.get(key("past")), None)
    tap.equal("two seconds are not over at once", client.get(key("brief")), "x")
    time.sleep(TWO_SECONDS_GONE)
    tap.equal("two seconds are over", client.get(key("brief")), None)
    tap.equal("a hundred are not", client.get(key("long")), "x")
    tap.equal("nor is a date to come", client.get(key("date")), "x")
    tap.equal("touch shortens", client.get(key("shortened")), None)
    tap.equal("touch prolongs", client.get(key("prolonged")), "x")


def many_keys_at_once():
    values = {f"m{number}": f"v{number}" for number in range(500)}
    tap.equal("set_multi", client.set_multi(values, key_prefix=key("")), [])
    tap.equal("get_multi", client.get_multi(list(values), key_prefix=key("")), values)
    mixed = client.get_multi(["m0", "none", "m1"], key_prefix=key(""))
    tap.equal("leaves out unknown keys", mixed, {"m0": "v0", "m1": "v1"})
    tap.equal("of unknown keys only", client.get_multi([key("none"), key("no")]), {})
    tap.equal("delete_multi", client.delete_multi(list(values)[:250], key_prefix=key("")), True)
    tap.equal("half of them are gone", len(client.get_multi(list(values), key_prefix=key(""))), 250)
    refused = client.add_multi({"m0": "new", "m499": "x"}, key_prefix=key(""))
    tap.equal("add_multi names the refused one", refused, ["m499"])


def behaviors():
    unblocked = connect(no_block=True)
    names = [key(f"b{number}") for number in range(300)]
    unblocked.set_multi({name: name for name in names})
    tap.equal("no_block", [unblocked.get(name) for name in names], names)
    silent = connect(_noreply=True)
    silent.set(key("q"), "silent")
    silent.delete(key("a"))
    tap.equal("noreply set", silent.get(key("q")), "silent")
    tap.equal("noreply delete", silent.get(key("a")), None)
    hashed = connect(ketama_weighted=True, hash="murmur", distribution="consistent")
    hashed.set(key("h"), "hashed")
    tap.equal("another hash, one server", client.get(key("h")), "hashed")


def keys():
    client.set(UNICODE, "unicode key")
    tap.equal("unicode key", client.get(UNICODE), "unicode key")
    client.set("k" * 250, "longest")
    tap.equal("key of 250 bytes", client.get("k" * 250), "longest")


def large_values():
    tap.equal("set of 500 KB", client.set(key("large"), LARGE), True)
    tap.ok("get of 500 KB", client.get(key("large")) == LARGE)
    tap.raises("set of 1 MiB", pylibmc.TooBig, lambda: client.set(key("large"), TOO_LARGE))
    tap.equal("and removes the old value", connect().get(key("large")), None)


def in_parallel():
    client.set(key("count"), 0)
    pool = pylibmc.ThreadMappedPool(client)
    wrong = []

    def work(worker):
        with pool.reserve() as own:
            for number in range(250):
                name = key(f"p{worker}-{number}")
                own.set(name, number)
                if own.get(name) != number:
                    wrong.append(name)
                own.incr(key("count"))
        pool.relinquish()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.equal("8 threads read what they wrote", wrong, [])
    tap.equal("2000 incrs of one key", client.get(key("count")), 2000)


def server():
    (name, stats), = client.get_stats()
    tap.ok("get_stats names the server", SERVER in name.decode(), repr(name))
    tap.ok("and its version", re.match(rb"\d+\.\d+\.\d+", stats["version"]), repr(stats["version"]))
    tap.ok("stats counts gets", int(stats["cmd_get"]) > 2000, repr(stats["cmd_get"]))


def clones():
    twin = client.clone()
    twin.set(key("twin"), "x")
    tap.equal("a clone is a conn of its own", client.get(key("twin")), "x")
    client.disconnect_all()
    tap.equal("the next call opens a new conn", client.get(key("twin")), "x")


def flush():
    client.set(key("f"), "x")
    tap.equal("flush_all", client.flush_all(), True)
    tap.equal("get after it", client.get(key("f")), None)
    tap.equal("set after it", client.set(key("f"), "y"), True)
    tap.equal("get of that", client.get(key("f")), "y")


tap.run([
    get_and_set,
    types_by_flags,
    compression,
    add_and_replace,
    append_and_prepend,
    gets_and_cas,
    incr_and_decr,
    delete_and_touch,
    expiry,
    many_keys_at_once,
    behaviors,
    keys,
    large_values,
    in_parallel,
    server,
    clones,
    flush,
])
