// What memden does otherwise than memcached, and why: the rows of a table in docs/protocol.md.

import type { Deviation } from "./deviation.ts";
import { START_DEVIATIONS } from "./deviations_at_start.ts";

/** Every known difference that a client could see. */
const CLIENT_DEVIATIONS: readonly Deviation[] = [
  [
    "a key over 250 bytes in a `get`: the error, an empty line, and the values before it are lost",
    "the error line only",
    "a client would read the empty line as the next reply",
  ],
  [
    "a `get` line of any length is kept in memory",
    "memden answers the keys of a line over 16 KiB as they arrive",
    "memory per client stays bounded",
  ],
  [
    "an over-long key in such a line",
    "the values before it have been sent, then the error",
    "as above",
  ],
  [
    "long `gat` and `gats` lines work only when they arrive in one read",
    "they always work",
    "the network's segments must not matter",
  ],
  [
    "a line over 2,048 bytes is accepted when it arrives in one read",
    "the connection is closed",
    "as above",
  ],
  [
    "a storage command, `ms` too, without a length, or with one that no value can have (no " +
    "number, below 0, 2147483646 and more): what follows runs as commands",
    "the error, `noreply` or not, then the connection is closed",
    "a value must never run as commands",
  ],
  [
    "an expiry of 2^32 and more is cut to 32 bits, or refused by touch, gat, T, N and R",
    "it is a date",
    "a date after 2106 is not in the past",
  ],
  ["client flags over 2^32-1 are cut to 32 bits", "refused", "a get would not return them as sent"],
  ["`mn` and LF without CR: an error", "`MN`", "every other command may end in LF alone"],
  [
    "`delete key 5`: deleted",
    "`CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]`",
    "as up to 1.6.18; memccapable checks it",
  ],
  [
    "an item has a header of 48 bytes; small slab classes grow by `-f`",
    "32 bytes; chunks fill their page, and with `-m 50` and more small classes grow by half steps",
    "more items in the same memory; every item that fits a class there fits it here",
  ],
  [
    "`lru_crawler metadump` walks LRU lists in the crawler's thread: BUSY while a crawl runs, " +
    "an error when other commands were sent before it",
    "the worker walks the hash table: never busy, and commands may come before it",
    "each item is listed once, and the network's segments do not matter",
  ],
  [
    "key dumps need the crawler to be enabled",
    "they do not",
    "nothing else depends on it",
  ],
  [
    "`stats cachedump` lists items of COLD only",
    "all items of the class",
    "a client that lists keys wants to see them",
  ],
  [
    "`lru mode segmented` with `no_lru_maintainer` is accepted",
    "`ERROR`",
    "no thread would move items out of HOT",
  ],
  [
    "`-o tail_repair_time` takes the memory of an item that a client holds for long",
    "unlinks it; its memory stays until the client releases it",
    "a client must never be sent another item's bytes",
  ],
  [
    "TLS: commands that arrive together with bytes that are not TLS get replies, then the alert",
    "memden drops them, sends the alert and closes the connection",
    "the runtime gives up the session at the first bad record of a piece",
  ],
  [
    "TLS: a client certificate that is not trusted gets the alert `unknown ca`; one of X.509 " +
    "version 1 is taken",
    "both are closed without an alert, and counted in `ssl_handshake_errors`",
    "the runtime checks the certificate when the handshake is over",
  ],
  [
    "TLS: with `ssl_session_cache` clients of TLS 1.2 without tickets resume, too",
    "tickets only, with any number of workers",
    "the runtime forgets sessions by number",
  ],
  [
    "TLS: `ssl_new_sessions` counts tickets of TLS 1.3, two for a new session, one for a resumed " +
    "one; and TLS 1.2 sessions without a ticket",
    "every handshake that resumes no session",
    "as its name says",
  ],
  [
    "the automover moves one page a second by age; an empty page of another class waits for a " +
    "window of `slab_automove_window` seconds without evictions before a class can have it",
    "one and up to a 64th of all pages a second by age; a class takes empty pages of others at " +
    "once, before it evicts; and a class without a free chunk gets a page at once",
    "memory follows sooner when sizes change",
  ],
  [
    "an item of a page that moves is evicted when its class has no free chunk",
    "the item of the class that was read longest ago is evicted",
    "the other items are read more often",
  ],
  [
    "a value is refused after ten tries at the tails of its class's lists, although items " +
    "further on, or a page of another class, could be evicted",
    "memden refuses it when clients hold all items, with `-M`, or when only the last pages of " +
    "other classes are left (with `slab_automove=0` or `no_slab_reassign`, any pages of " +
    "theirs); it also evicts items of TEMP",
    "a cache with evictions has room for it",
  ],
  [
    "a value larger than `-m` (after `cache_memlimit`) evicts large items until it is refused",
    "refused at once",
    "nothing should be evicted for what cannot fit",
  ],
  [
    "`stats` ends with `lru_bumps_dropped`",
    "two more lines: `direct_evictions`, `direct_page_moves`",
    "how often a command needed memory from beyond the tails",
  ],
  [
    "`mg` and `ma` with `b` and `N` forget that the key was Base64; `me` knows `b` only beside " +
    "another flag",
    "all of them treat it as `ms` does",
    "a reply must contain the key as it was sent",
  ],
  [
    "`t` of an item whose TTL was set to 0 or less in the same request: about 4294967295",
    "0",
    "it has no time left",
  ],
  [
    "`-Y`: of several lines that arrive in one read before the login, only the last is answered",
    "each is",
    "the network's segments must not matter",
  ],
  [
    "`-Y`: a line feed alone before the login is answered when another byte has arrived",
    "at once",
    "as above",
  ],
  [
    "`-Y`: a token over 16 KiB before the login closes the connection, or waits for it to fill",
    "`CLIENT_ERROR auth token too long`, then the connection is closed",
    "an unknown client gets one buffer",
  ],
  [
    "binary: the body of a command that does not exist is skipped twice",
    "it is skipped once",
    "the following packets are read as they were sent",
  ],
  [
    "binary: a value after TOUCH, GAT or STAT is read as the next packet",
    "`0004`, and the connection is closed",
    "as with every other command; a value must never run as commands",
  ],
  [
    "binary: memcached waits for a body of any length",
    "one over 1 GiB is answered `0004`, and the connection closed",
    "no item can be so large",
  ],
  [
    "binary: a header is read once its 24 bytes have arrived",
    "a packet that does not begin with 80 closes the connection at once",
    "a text client of a binary port need not wait",
  ],
  [
    "binary: STAT takes every key that begins with `settings`, `reset` or `detail`",
    "the whole key counts; `conns` and `extstore` are groups, too",
    "a wrong key gets no answer of another one",
  ],
  [
    "`-R` counts `stats`, or a `get` of thousands of keys, as one request; `conn_yields` counts " +
    "a batch of exactly `-R`, but not of get, gets, gat, gats, mn, binary NOOP and DELETE",
    "they count for more, by their size, as do parts of key dumps; batches of all commands count",
    "clients that request statistics without reading them must not delay the others",
  ],
  [
    "`stats detail` counts any number of prefixes, and a NUL ends a key",
    "4,096 prefixes until a reset, others are not counted; a NUL is an ordinary byte",
    "memory stays bounded",
  ],
  [
    "binary: a value that is too large, or finds no memory, is not counted",
    "`store_too_large`, `store_no_memory`",
    "as over the text protocol",
  ],
  [
    "`lru_crawler mgdump` shows a key with spaces or control characters as it is",
    "in Base64",
    "otherwise the line is unusable; only a binary client can store such a key",
  ],
  [
    "`-S`: mechanisms and logins are those of Cyrus SASL",
    "PLAIN; logins of the file that MEMCACHED_SASL_PWDB names, at most 64; without it the " +
    "server does not start",
    "memden needs no library",
  ],
  [
    "`-S`: memcached reads the file at each login; after a password may come a colon and any " +
    "text, so that a password with a colon can be cut short",
    "memden reads it at start and on SIGHUP; the password ends at the second colon",
    "a line must have one meaning",
  ],
  [
    "`-S`: SASL_LIST logs a client out",
    "it does not",
    "a query must change nothing",
  ],
  [
    "`-S`: PLAIN reads a message of up to 1 MiB",
    "of up to 8 KiB, else `0082`",
    "a client without a login must take no memory",
  ],
  [
    "UDP: each key of a `get`, and each command of a datagram, has a separate sequence",
    "one sequence of datagrams for each request",
    "from the total in the frame a client knows when it has everything",
  ],
  [
    "UDP: an incomplete line or value continues in the next datagram, from any sender",
    "dropped, without an answer",
    "one client's bytes must not run as another's",
  ],
  [
    "UDP: `quit` is answered by an empty datagram that says 0 of 0",
    "no answer; memden ignores the rest of the datagram",
    "as over TCP",
  ],
  [
    "UDP: memcached answers a datagram from the server's address, and one that is a reply",
    "dropped, and counted in `udp_dropped`; a line that is a reply gets no `ERROR`",
    "forged senders must not make servers answer each other, or run the content of a reply",
  ],
  ["UDP: no limit on a reply", "an error above 16 MiB", "memory stays bounded"],
  [
    "UDP sockets count as connections, one for each worker",
    "they do not, and `stats conns` does not list them",
    "`-c` limits client connections",
  ],
  [
    "`watch`: `gid` grows within a thread's lines; a client that reads too slowly loses the newest",
    "over all lines; it loses the oldest of all logged lines",
    "lines show the order of events",
  ],
  [
    "`watch`: a client that closes its half of the connection is closed",
    "it still receives lines, and does not count among the 20 watchers",
    "`echo watch | nc` works",
  ],
  [
    "`watch` must not follow other commands in one read",
    "it may",
    "the network's segments must not matter",
  ],
  [
    "`watch`: `-o worker_logbuf_size` and `watcher_logbuf_size` of any size, for each watcher",
    "up to 4 MiB for each thread, as a power of two, and 64 MiB for all watchers together",
    "memory stays bounded",
  ],
  [
    "`watch`: a value that `ma` or a binary increment creates shows two lookups",
    "one",
    "there is one",
  ],
  [
    "`watch sysevents`: a line for each LRU list that was crawled",
    "one for each class that has items, with `lru=all`",
    "a crawl walks the hash table",
  ],
  [
    "`watch connevents` shows the address of a connection that was reset",
    "`rip=unknown rport=0`; datagrams are no connections, and have no lines",
    "the kernel no longer has it",
  ],
  [
    "UDP: `watch` is accepted",
    "`WATCHER_FAILED failed to add log watcher`",
    "a datagram gets one answer",
  ],
];

/** Every known difference. */
export const DEVIATIONS: readonly Deviation[] = [...CLIENT_DEVIATIONS, ...START_DEVIATIONS];
