// What memden does otherwise than memcached, and why: the rows of a table in docs/protocol.md.

import type { Deviation } from "./deviation.ts";
import { START_DEVIATIONS } from "./deviations_at_start.ts";

/** Every known difference that a client could see. */
const CLIENT_DEVIATIONS: readonly Deviation[] = [
  [
    "a key over 250 bytes in a `get`: the error, an empty line, and the values before it are lost",
    "the error line only",
    "a client would take the empty line for the next reply",
  ],
  [
    "a `get` line of any length is kept in memory",
    "keys of a line over 16 KiB are answered as they come",
    "memory per client stays bounded",
  ],
  [
    "an over-long key in such a line",
    "the values before it have been sent, then the error",
    "as above",
  ],
  [
    "long `gat` and `gats` lines only work when they come in one read",
    "they always work",
    "how the network cuts bytes must not matter",
  ],
  [
    "a line over 2,048 bytes is accepted when it comes in one read",
    "the connection is closed",
    "as above",
  ],
  [
    "a storage command, `ms` too, without a length, or with one that no value can have (no " +
    "number, below 0, 2147483646 and more): what follows is taken for commands",
    "the error, `noreply` or not, then the connection is closed",
    "a value must never run as commands",
  ],
  [
    "an expiry of 2^32 and more is cut to 32 bits, or refused by touch, gat, T, N and R",
    "it is a date",
    "a date after 2106 is not in the past",
  ],
  ["client flags over 2^32-1 are cut to 32 bits", "refused", "they would not come back as sent"],
  ["`mn` and LF without CR: an error", "`MN`", "every other command may end in LF alone"],
  [
    "`delete key 5`: deleted",
    "`CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]`",
    "as up to 1.6.18; memccapable checks it",
  ],
  [
    "an item has a header of 48 bytes; small slab classes grow by `-f`",
    "32 bytes; chunks fill their page, and with `-m 50` and more small classes grow by half steps",
    "more items in the same memory; whatever fits a class there fits it here",
  ],
  [
    "`lru_crawler metadump` walks LRU lists in the crawler's thread: BUSY while a crawl runs, " +
    "an error when other commands were sent before it",
    "the worker walks the hash table: never busy, and commands may come before it",
    "each item is listed once, and how the network cuts bytes does not matter",
  ],
  [
    "key dumps need the crawler to be enabled",
    "they do not",
    "nothing else depends on it",
  ],
  [
    "`stats cachedump` lists items of COLD only",
    "all items of the class",
    "who asks for keys wants to see them",
  ],
  [
    "`lru mode segmented` with `no_lru_maintainer` is accepted",
    "`ERROR`",
    "nobody would move items out of HOT",
  ],
  [
    "`-o tail_repair_time` takes the memory of an item that is held for long",
    "unlinks it; its memory stays until the client lets go",
    "a client must never be sent another item's bytes",
  ],
  [
    "TLS: commands that come in one piece with bytes that are no TLS are answered, then the alert",
    "they are dropped: there is the alert, and the connection is closed",
    "the runtime gives up the session at the first bad record of a piece",
  ],
  [
    "TLS: a client certificate that is not trusted gets the alert `unknown ca`; one of X.509 " +
    "version 1 is taken",
    "both are closed without an alert, and counted in `ssl_handshake_errors`",
    "the runtime checks the certificate when the handshake is over",
  ],
  [
    "TLS: with `ssl_session_cache` clients of TLS 1.2 that take no tickets resume, too",
    "tickets only, at whichever worker",
    "the runtime forgets sessions by number",
  ],
  [
    "TLS: `ssl_new_sessions` counts tickets of TLS 1.3, two for a new session, one for each that " +
    "goes on; of TLS 1.2 sessions without a ticket",
    "every handshake that goes on from no earlier session",
    "what the name says",
  ],
  [
    "the automover moves one page a second by age; an empty page of another class waits for a " +
    "window of `slab_automove_window` seconds without evictions before a class can have it",
    "one and up to a 64th of all pages a second by age; a class takes empty pages of others at " +
    "once, before it evicts; and one that ran out of chunks gets a page at once",
    "memory follows sooner when sizes change",
  ],
  [
    "an item of a page that moves is evicted when its class has no free chunk",
    "the item of the class that was read longest ago is",
    "the others are asked for more often",
  ],
  [
    "a value is refused after ten tries at the tails of its class's lists, although items " +
    "further on, or a page of another class, could go for it",
    "it is refused when clients hold all there is, with `-M`, or when only the last pages of " +
    "other classes are left (with `slab_automove=0` or `no_slab_reassign`, any pages of " +
    "theirs); items of TEMP go for it, too",
    "a cache with evictions has room",
  ],
  [
    "a value larger than `-m` (after `cache_memlimit`) evicts large items until it is refused",
    "refused at once",
    "nothing should go for what cannot fit",
  ],
  [
    "`stats` ends with `lru_bumps_dropped`",
    "two more lines: `direct_evictions`, `direct_page_moves`",
    "how often a command had to go further than the tails for its memory",
  ],
  [
    "`mg` and `ma` with `b` and `N` forget that the key was Base64; `me` knows `b` only beside " +
    "another flag",
    "all of them treat it as `ms` does",
    "a key must come back as it was given",
  ],
  [
    "`t` of an item whose TTL was set to 0 or less in the same request: about 4294967295",
    "0",
    "it has no time left",
  ],
  [
    "`-Y`: of several lines that come in one read before the login, only the last is answered",
    "each is",
    "how the network cuts bytes must not matter",
  ],
  [
    "`-Y`: a line feed alone before the login is answered when another byte has come",
    "at once",
    "as above",
  ],
  [
    "`-Y`: a token over 16 KiB before the login closes the connection, or waits for it to fill",
    "`CLIENT_ERROR auth token too long`, then the connection is closed",
    "a client that nobody knows gets one buffer",
  ],
  [
    "binary: the body of a command that does not exist is skipped twice",
    "it is skipped once",
    "the packets behind it are read as they were sent",
  ],
  [
    "binary: a value behind TOUCH, GAT or STAT is read as the next packet",
    "`0004`, and the connection is closed",
    "as with every other command; a value must never run as commands",
  ],
  [
    "binary: a body of any length is waited for",
    "one over 1 GiB is answered `0004`, and the connection closed",
    "no item can be so large",
  ],
  [
    "binary: a header is read once its 24 bytes have come",
    "what does not begin with 80 closes the connection at once",
    "a text client of a binary port need not wait",
  ],
  [
    "binary: STAT takes every key that begins with `settings`, `reset` or `detail`",
    "the whole key counts; `conns` and `extstore` are groups, too",
    "what was not asked for is not answered",
  ],
  [
    "`-R` counts `stats`, or a `get` of thousands of keys, as one request; `conn_yields` counts " +
    "a batch of exactly `-R`, but not of get, gets, gat, gats, mn, binary NOOP and DELETE",
    "they count for more, by their size, as do parts of key dumps; batches of all commands count",
    "clients that ask for statistics and do not read them must not keep the others waiting",
  ],
  [
    "`stats detail` counts any number of prefixes, and a NUL ends a key",
    "4,096 prefixes until a reset, others are not counted; a NUL is a byte like another",
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
    "the line could not be used otherwise; only a binary client can store such a key",
  ],
  [
    "`-S`: mechanisms and logins are those of Cyrus SASL",
    "PLAIN; logins of the file that MEMCACHED_SASL_PWDB names, at most 64; without it the " +
    "server does not start",
    "no library is needed",
  ],
  [
    "`-S`: the file is read at each login; a password may be followed by a colon and " +
    "anything, so that one with a colon can be cut short",
    "it is read at start and on SIGHUP; the password ends at the second colon",
    "a password is one password",
  ],
  [
    "`-S`: SASL_LIST takes a login away",
    "it does not",
    "asking changes nothing",
  ],
  [
    "`-S`: PLAIN reads a message of up to 1 MiB",
    "of up to 8 KiB, else `0082`",
    "no memory is taken for who has not logged in",
  ],
  [
    "UDP: each key of a `get`, and each command of a datagram, has a sequence of its own",
    "one sequence of datagrams for each request",
    "the total in the frame tells a client when it has everything",
  ],
  [
    "UDP: a line or a value that is not whole goes on in the next datagram, whoever sends it",
    "dropped, with no answer",
    "what one client sends must not run as another's",
  ],
  [
    "UDP: `quit` is answered by an empty datagram that says 0 of 0",
    "no answer; what follows it in the datagram is ignored",
    "as over TCP",
  ],
  [
    "UDP: a datagram from the server's own address, and one that is a reply, is answered",
    "dropped, and counted in `udp_dropped`; a line that is a reply gets no `ERROR`",
    "forged senders must not make servers answer each other, nor run what a reply carries",
  ],
  ["UDP: no limit on a reply", "an error above 16 MiB", "memory stays bounded"],
  [
    "UDP sockets count as connections, one for each worker",
    "they do not, and `stats conns` leaves them out",
    "`-c` limits client connections",
  ],
  [
    "`watch`: `gid` grows within a thread's lines; a client that reads too slowly loses the newest",
    "over all lines; it loses the oldest, of all that are logged for anybody",
    "lines tell in which order things happened",
  ],
  [
    "`watch`: a client that closes its half of the connection is closed",
    "it goes on receiving, and does not count among the 20 watchers",
    "`echo watch | nc` works",
  ],
  [
    "`watch` must not follow other commands in one read",
    "it may",
    "how the network cuts bytes must not matter",
  ],
  [
    "`watch`: `-o worker_logbuf_size` and `watcher_logbuf_size` of any size, for each watcher",
    "up to 4 MiB for each thread, as a power of two, and 64 MiB for all watchers together",
    "memory stays bounded",
  ],
  [
    "`watch`: a value that is made by `ma` or a binary increment shows two lookups",
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
    "nobody remembers it",
  ],
  [
    "UDP: `watch` is accepted",
    "`WATCHER_FAILED failed to add log watcher`",
    "a datagram is answered once",
  ],
];

/** Every known difference. */
export const DEVIATIONS: readonly Deviation[] = [...CLIENT_DEVIATIONS, ...START_DEVIATIONS];
