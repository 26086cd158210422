// What memden does otherwise than memcached before the first client comes: options, sockets, files.

import type { Deviation } from "./deviation.ts";

/** Every known difference that an operator could see. */
export const START_DEVIATIONS: readonly Deviation[] = [
  ["`-c` limits descriptor numbers", "`-c` limits client connections", "what the operator means"],
  [
    "operands are ignored: `memcached top`, `memcached -m 64 m`, `memcached port=11311` serve",
    "a first word that names a sub-command runs that; other words are refused, except `-`, an " +
    "empty one, and an option with a blank before it, which counts",
    "a mistake must not start a server that is not what was meant",
  ],
  [
    "numbers of options are read as far as they go: `-m 64m` is 64, `-m 1g` is 1, `-p abc` is 0",
    "k, m and g behind sizes of memory count: 64 MB, 1024 MB; all else that is no number is " +
    "refused",
    "as above",
  ],
  ["`-D ab`: the prefix ends at `a`", "refused", "as above"],
  ["root without `-u`: refuses to start", "warns and runs", "in a container root is the rule"],
  [
    "`-u` of a process that is not root's is ignored",
    "an unknown user is refused as root's is; of another one the log says that it does nothing",
    "who runs it is no secret to the operator",
  ],
  [
    "`-I` must be a multiple of `slab_chunk_max`, so that `-I 800k` needs another option",
    "only if `slab_chunk_max` is given",
    "`-I` alone should work",
  ],
  [
    "TLS: `ssl_verify_mode` 2 and 3 and `mtls:` without `ssl_ca_cert` let nobody in",
    "refused at start",
    "the operator should know",
  ],
  [
    "TLS: a key with a passphrase is asked for at the terminal",
    "refused at start",
    "a server has no terminal, as a rule",
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
    "asks for transparent huge pages; nothing is taken before it is used, but a page is kept for " +
    "each class",
    "`cache_memlimit` goes on working",
  ],
  [
    "`-Y`: a file without lines lets nobody in",
    "refused at start; SIGHUP keeps the logins",
    "a file that is just being written must not lock everybody out",
  ],
  [
    "`-Y`: lines after the eighth are left out",
    "the same, with a warning",
    "the operator should know",
  ],
  [
    "`-Y`, `-S`: a line without a name or a password, by which nobody can log in, is taken",
    "refused at start, by its number; with `-Y` also one with a space where a client cannot say it",
    "as above: who wrote it meant somebody",
  ],
  [
    "`-Y`: a line of the file that is too long loses those after it",
    "refused, by its number; likewise a line that holds a NUL",
    "half a password must not be one",
  ],
  [
    "`-Y`: SIGHUP is followed within a second; a bad file is passed over in silence",
    "at once; the log says why",
    "the operator should know",
  ],
  [
    "two servers can be bound to the same UDP port",
    "the second one refuses to start",
    "each would get some of the datagrams",
  ],
  [
    "a second server on the path of a Unix socket takes it, and nobody new reaches the first one",
    "the second one refuses to start; a socket that nobody listens on is replaced",
    "as with a TCP port",
  ],
  [
    "without `-l`, and with a name, an address whose port is in use is left out if another is free",
    "the server refuses to start; what the machine does not have is left out",
    "half of the clients would reach another server",
  ],
  [
    "`-p -1` without `-l`: a port for IPv4, and another one for IPv6",
    "the same one for both, if it is free",
    "a client needs to know one",
  ],
  [
    "`-a 1777` and `-a abc` are modes 777 and 0",
    "refused",
    "a mode that is not what was asked for lets in nobody, or everybody",
  ],
  [
    "`-l` with nothing in it listens nowhere",
    "refused; a comma too many is not",
    "a variable of a script that is not set",
  ],
  [
    "too few descriptors: some threads or clients go without",
    "refused at start where threads would go without; 16 are kept from clients",
    "clients are told so, and threads never run out",
  ],
  ["`-s` turns UDP off", "not if `-U` is given, too", "what was asked for is done"],
  [
    "with `-e` damaged metadata or an unusable file ends the process; damaged items are served",
    "both are checked: a clean start with the reason, or a refusal in one line",
    "wrong data must not be served",
  ],
  [
    "with `-e` a cache is not taken over within a second of its end",
    "it is",
    "a quick restart is the common one",
  ],
  [
    "with `-e` `uptime` counts from the first of the servers that had the cache",
    "`uptime` is the process's own",
    "counters begin at 0 with the process",
  ],
  [
    "with `-e` memory is taken from the file system as it is used",
    "all of it is reserved at start, or the server refuses",
    "a full file system would end the process",
  ],
];
