// What memden does otherwise than memcached before the first client comes: options, sockets, files.

import type { Deviation } from "./deviation.ts";

/** Every known difference that an operator could see. */
export const START_DEVIATIONS: readonly Deviation[] = [
  [
    "`-c` limits descriptor numbers",
    "`-c` limits client connections",
    "operators mean connections",
  ],
  [
    "operands are ignored: `memcached top`, `memcached -m 64 m`, `memcached port=11311` serve",
    "a first word that names a sub-command runs that; other words are refused, except `-`, an " +
    "empty one, and an option with a blank before it, which is accepted",
    "a mistake must not start an unintended server",
  ],
  [
    "numbers of options are read as far as they go: `-m 64m` is 64, `-m 1g` is 1, `-p abc` is 0",
    "sizes may end in k, m or g: 64 MB, 1024 MB; other text after a number is " +
    "refused",
    "as above",
  ],
  ["`-D ab`: the prefix ends at `a`", "refused", "as above"],
  ["root without `-u`: refuses to start", "warns and runs", "containers usually run as root"],
  [
    "`-u` of a process that is not root's is ignored",
    "memden refuses an unknown user; for another one it warns that the option has no effect",
    "the operator should know",
  ],
  [
    "`-I` must be a multiple of `slab_chunk_max`, so that `-I 800k` needs another option",
    "only if `slab_chunk_max` is given",
    "`-I` alone should work",
  ],
  [
    "TLS: `ssl_verify_mode` 2 and 3 and `mtls:` without `ssl_ca_cert` admit no client",
    "refused at start",
    "the operator should know",
  ],
  [
    "TLS: memcached asks for a key's passphrase at the terminal",
    "refused at start",
    "a server usually has no terminal",
  ],
  [
    "`-o hashpower` up to 32, where there is the memory",
    "up to 30: a thousand million buckets",
    "no more bits of the hash choose a bucket",
  ],
  [
    "`-k` locks all memory of the process",
    "item memory and the hash table",
    "V8 dies when its heap is locked",
  ],
  [
    "`-L` takes all of `-m` at start from the pool of huge pages",
    "asks for transparent huge pages; takes memory on use only, but keeps a page for each class",
    "`cache_memlimit` still works",
  ],
  [
    "`-Y`: a file without lines admits no client",
    "refused at start; SIGHUP keeps the logins",
    "a file that is being written must not lock all clients out",
  ],
  [
    "`-Y`: lines after the eighth are ignored",
    "the same, with a warning",
    "the operator should know",
  ],
  [
    "`-Y`, `-S`: a line without a name or a password, with which no client can log in, is accepted",
    "refused at start, with its number; with `-Y` also one with a space that no client can send",
    "as above: the line was meant for a client",
  ],
  [
    "`-Y`: a line of the file that is too long loses those after it",
    "refused, with its number; likewise a line that contains a NUL",
    "a part of a password must not work",
  ],
  [
    "`-Y`: SIGHUP takes effect within a second; a bad file is ignored silently",
    "at once; the log says why",
    "the operator should know",
  ],
  [
    "two servers can be bound to the same UDP port",
    "the second one refuses to start",
    "each would get some of the datagrams",
  ],
  [
    "a second server on the path of a Unix socket takes it; no new client reaches the first one",
    "the second one refuses to start; memden replaces a socket without a server",
    "as with a TCP port",
  ],
  [
    "without `-l`, and with a name, an address whose port is in use is skipped if another is free",
    "memden refuses to start; it skips addresses that the machine does not have",
    "half of the clients would reach another server",
  ],
  [
    "`-p -1` without `-l`: a port for IPv4, and another one for IPv6",
    "the same one for both, if it is free",
    "clients need to know one port",
  ],
  [
    "`-a 1777` and `-a abc` are modes 777 and 0",
    "refused",
    "a wrong mode admits nobody, or everybody",
  ],
  [
    "an empty `-l` listens nowhere",
    "refused; an extra comma is not",
    "it is an unset variable of a script",
  ],
  [
    "too few descriptors: some threads or clients get none",
    "refused at start if threads would get none; 16 are reserved",
    "clients get an error, and threads never run out",
  ],
  ["`-s` turns UDP off", "not if `-U` is given, too", "both options are given"],
  [
    "with `-e` damaged metadata or an unusable file ends the process; damaged items are served",
    "memden checks both: it starts clean with the reason, or refuses in one line",
    "memden must not serve wrong data",
  ],
  [
    "with `-e` a server cannot take a cache over within a second of its end",
    "it can",
    "quick restarts are common",
  ],
  [
    "with `-e` `uptime` counts from the first of the servers that had the cache",
    "`uptime` is the process's own",
    "counters begin at 0 with the process",
  ],
  [
    "with `-e` the file system provides memory on use",
    "memden reserves all of it at start, or refuses",
    "a full file system would end the process",
  ],
];
