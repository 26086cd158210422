"""pylibmc, which is libmemcached, as driver.ts wants it: a line of JSON for each request and reply.

usage: pylibmc_driver.py weighted|plain HOST:PORT…
"""

import json
import sys

import pylibmc

KIND, *NODES = sys.argv[1:]

# `ketama_weighted` is 160 points by MD5, as proxies have it; `ketama` alone is libmemcached's own.
RING = {"weighted": {"ketama": True, "ketama_weighted": True}, "plain": {"ketama": True}}[KIND]
BEHAVIORS = {
    **RING,
    "tcp_nodelay": True,
    # A node that fails twice is left out; a second later it is tried once more.
    "auto_eject": True,
    "failure_limit": 2,
    "retry_timeout": 1,
    "dead_timeout": 1,
    # Milliseconds, and microseconds for the two others.
    "connect_timeout": 500,
    "receive_timeout": 500_000,
    "send_timeout": 500_000,
}
client = pylibmc.Client(NODES, behaviors=BEHAVIORS)


def one_by_one(keys, call):
    values, errors = {}, {}
    for key in keys:
        try:
            value = call(key)
        except pylibmc.Error as error:
            errors[key] = f"{type(error).__name__}: {error}"
        else:
            if value is not None:
                values[key] = value
    return {"values": values, "errors": errors}


def store(key, value):
    if not client.set(key, value):
        raise pylibmc.Error("not stored")


def answer(request):
    operation, keys = request["op"], request["keys"]
    if operation == "set":
        return one_by_one(keys, lambda key: store(key, request["value"]))
    if operation == "get":
        return one_by_one(keys, client.get)
    if operation == "getMany":
        return {"values": client.get_multi(keys), "errors": {}}
    return {"values": {}, "errors": {}}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
