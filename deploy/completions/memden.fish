# Generated from lib/config/options.ts and lib/cli/sub_commands.ts by `deno task docs`.
# fish completion for memden: put it into ~/.config/fish/completions.

function __memden_runs
    set -l words (commandline -opc)
    test "$words[2]" = $argv[1]
end

function __memden_serves
    set -l words (commandline -opc)
    not contains -- "$words[2]" top ping
end

function __memden_is_first
    test (count (commandline -opc)) -eq 1
end

# Names behind the last comma of -o, with what is before it.
function __memden_suboptions
    set -l typed (string replace -r '^--[^=]*=' '' -- (commandline -ct))
    set -l head (string match -r '^.*,' -- $typed)
    for row in \
            'maxconns_fast	over the connection limit, answer with an error and close (default: on)' \
            'no_maxconns_fast	over the connection limit, stop accepting instead' \
            'hashpower=	start with a hash table of 2^power buckets; when not given, the server chooses' \
            'no_hashexpand	never grow the hash table (default: off)' \
            'hash_algorithm=murmur3	name of the key hash (murmur3, jenkins, xxh3; default: murmur3; no effect)' 'hash_algorithm=jenkins	name of the key hash (murmur3, jenkins, xxh3; default: murmur3; no effect)' 'hash_algorithm=xxh3	name of the key hash (murmur3, jenkins, xxh3; default: murmur3; no effect)' \
            'slab_reassign	let pages move between slab classes (default: on)' \
            'no_slab_reassign	keep pages in their slab class' \
            'slab_automove	move pages automatically: 0 never, 1 by age, 2 on every eviction (default: 1)' \
            'no_slab_automove	same as slab_automove=0' \
            'slab_automove_ratio=	age between two classes below which a page moves (default: 0.8)' \
            'slab_automove_window=	seconds that decide over a move (default: 10 s)' \
            'slab_automove_freeratio=	share of memory to hold free for external storage (default: 0.01; no effect)' \
            'slab_sizes=	chunk size of every slab class, instead of a growth factor' \
            'slab_chunk_max=	largest chunk, in kilobytes; must divide 1024 and -I. A larger item is in several (default: 512 KB)' \
            'no_chunked_items	store an item of up to 1 MiB in one chunk' \
            'tail_repair_time=	seconds after which an item at the LRU tail that is still held is taken by force' \
            'lru_crawler	look for expired items in the background (default: on)' \
            'no_lru_crawler	leave expired items until a client asks for them' \
            'lru_crawler_sleep=	microseconds that the crawler sleeps between items (default: 100 us)' \
            'lru_crawler_tocrawl=	items per slab class and crawl; 0 for all (default: 0)' \
            'lru_maintainer	keep hot, warm and cold items apart (default: on)' \
            'no_lru_maintainer	one LRU list per slab class' \
            'hot_lru_pct=	share of a slab class for hot items (default: 20 percent)' \
            'warm_lru_pct=	share of a slab class for warm items (default: 40 percent)' \
            'hot_max_factor=	hot items idle for longer than this times the cold age leave the hot list (default: 0.2)' \
            'warm_max_factor=	warm items idle for longer than this times the cold age leave the warm list (default: 2)' \
            'temporary_ttl=	items that live no longer than this are never evicted' \
            'idle_timeout=	close connections that were idle for this long; 0 for never (default: 0 s)' \
            'watcher_logbuf_size=	log buffer of each watcher (default: 256 KB)' \
            'worker_logbuf_size=	log buffer of each worker thread (default: 64 KB)' \
            'read_buf_mem_limit=	most memory for the buffers of all connections; 0 for no limit (default: 0 MB)' \
            'resp_obj_mem_limit=	older name of read_buf_mem_limit (default: 0 MB)' \
            'track_sizes	count items by size for stats sizes (default: off)' \
            'inline_ascii_resp	a former way to buffer replies (default: off; no effect)' \
            'no_inline_ascii_resp	opposite of inline_ascii_resp (no effect)' \
            'modern	the defaults of the next release; today none differ' \
            'no_modern	the defaults of memcached 1.4, as far as they are available' \
            'drop_privileges	filter system calls once started (default: off; no effect)' \
            'no_drop_privileges	opposite of drop_privileges (no effect)' \
            'relaxed_privileges	a wider filter, for tests (default: off; no effect)' \
            'sock_cookie_id=	mark on client sockets for packet filters; FreeBSD only (default: 0; no effect)' \
            'ssl_chain_cert=	certificate chain, PEM' \
            'ssl_key=	private key, PEM' \
            'ssl_verify_mode=	client certificates: 0 none, 1 request, 2 require, 3 once (default: 0)' \
            'ssl_keyformat=	private key: 1 PEM, 2 DER (default: 1)' \
            'ssl_ca_cert=	authorities of client certificates, PEM' \
            'ssl_wbuf_size=	TLS write buffer (default: 16 KB; no effect)' \
            'ssl_session_cache	resume TLS sessions (default: off)' \
            'ssl_min_version=	lowest TLS version: 0 for 1.0 up to 3 for 1.3 (default: 2)'
        echo "$head$row"
    end
end

complete -c memden -n __memden_serves -f
complete -c memden -n __memden_is_first -f -a top -d 'live view of a memcached server: rates, hit ratio, memory, slab classes'
complete -c memden -n __memden_is_first -f -a ping -d 'ask a server whether it is alive, for health checks of containers'
complete -c memden -n __memden_serves -s p -l port -x -d 'TCP port to listen on; 0 for none, -1 for any free one (default: 11211)'
complete -c memden -n __memden_serves -s U -l udp-port -x -d 'UDP port to listen on; 0 for none, -1 for any free one. Without -p, TCP uses the same number (default: 0)'
complete -c memden -n __memden_serves -s s -l unix-socket -r -F -d 'Unix socket to listen on, instead of TCP; with -l or -p beside it, as well as TCP'
complete -c memden -n __memden_serves -s a -l unix-mask -x -d 'access mode of the Unix socket, in octal (default: 700)'
complete -c memden -n __memden_serves -s A -l enable-shutdown -d 'let clients stop the server with the shutdown command'
complete -c memden -n __memden_serves -s l -l listen -x -d 'address to listen on: host, host:port, [v6]:port or *; repeat it or separate by commas. Without it, every address of the machine. In front of one: notls:, btls: or mtls: for plain text, TLS, or TLS with client certificates; proto[ascii]: or proto[binary]: for its protocol; tag[name]:'
complete -c memden -n __memden_serves -s d -l daemon -d 'run in the background, detached from the terminal, once the server has started'
complete -c memden -n __memden_serves -s r -l enable-coredumps -d 'raise the core file limit as far as allowed'
complete -c memden -n __memden_serves -s u -l user -x -a '(__fish_complete_users)' -d 'when started as root, continue as this user; a name or a numeric uid'
complete -c memden -n __memden_serves -s m -l memory-limit -x -d 'memory for items, in megabytes, or with a k, m or g behind the number; hash table and connections come on top (default: 64 MB)'
complete -c memden -n __memden_serves -s M -l disable-evictions -d 'when memory is full, answer with an error instead of evicting'
complete -c memden -n __memden_serves -s c -l conn-limit -x -d 'most client connections at a time (default: 1024)'
complete -c memden -n __memden_serves -s k -l lock-memory -d 'keep item memory and hash table from being paged out'
complete -c memden -n __memden_serves -s v -l verbose -d 'write errors and warnings to stderr; -vv adds commands and replies, -vvv state changes'
complete -c memden -n __memden_serves -s h -l help -d 'print this list and exit'
complete -c memden -n __memden_serves -s i -l license -d 'print the license and exit'
complete -c memden -n __memden_serves -s V -l version -d 'print the version and exit'
complete -c memden -n __memden_serves -s P -l pidfile -r -F -d 'write the process id to this file; with -d it is removed at the end'
complete -c memden -n __memden_serves -s f -l slab-growth-factor -x -d 'how much larger each slab class is than the one before (default: 1.25)'
complete -c memden -n __memden_serves -s n -l slab-min-size -x -d 'room for key, value and flags in the smallest slab class (default: 48 bytes)'
complete -c memden -n __memden_serves -s L -l enable-largepages -d 'ask the kernel for large memory pages'
complete -c memden -n __memden_serves -s D -x -d 'character that ends a key\'s prefix; also turns on statistics per prefix (default: :)'
complete -c memden -n __memden_serves -s t -l threads -x -d 'worker threads (default: 4)'
complete -c memden -n __memden_serves -s R -l max-reqs-per-event -x -d 'requests served from one connection before others get their turn (default: 20)'
complete -c memden -n __memden_serves -s C -l disable-cas -d 'store no CAS number with an item'
complete -c memden -n __memden_serves -s b -l listen-backlog -x -d 'connections the kernel queues before they are accepted (default: 1024)'
complete -c memden -n __memden_serves -s B -l protocol -x -a 'auto ascii binary' -d 'protocol to speak; auto tells by a connection\'s first byte (auto, ascii, binary; default: auto)'
complete -c memden -n __memden_serves -s I -l max-item-size -x -d 'largest item, in bytes, or with a k, m or g behind the number; 1k to 1024m (default: 1m)'
complete -c memden -n __memden_serves -s S -l enable-sasl -d 'ask for a SASL login (PLAIN); binary protocol only. Logins are in MEMCACHED_SASL_PWDB'
complete -c memden -n __memden_serves -s F -l disable-flush-all -d 'refuse the flush_all command'
complete -c memden -n __memden_serves -s X -l disable-dumping -d 'refuse the commands that list keys'
complete -c memden -n __memden_serves -s W -l disable-watch -d 'refuse the watch command'
complete -c memden -n __memden_serves -s Y -l auth-file -r -F -d 'ask for a login over the text protocol; lines of user:password in this file'
complete -c memden -n __memden_serves -s e -l memory-file -r -F -d 'keep item memory in this file: after SIGUSR1 or shutdown graceful, the next server takes it over'
complete -c memden -n __memden_serves -s Z -l enable-ssl -d 'speak TLS'
complete -c memden -n __memden_serves -s N -l napi_ids -x -d 'receive queues of the network card that workers are bound to; at most as many as threads (default: 0; no effect)'
complete -c memden -n __memden_serves -l transport -x -a 'auto native relay' -d 'how connections reach the workers: native by system calls, relay by messages; auto takes native where it works. Not in memcached (auto, native, relay; default: auto)'
complete -c memden -n __memden_serves -l admin -x -d 'HTTP server with /metrics, /healthz, /readyz and /api/stats; without an address, for this machine only. It shows statistics, settings and warnings, no keys. Not in memcached'
complete -c memden -n __memden_serves -l admin-keys -d 'record the keys asked for most and show them at --admin; no effect with -X. Not in memcached'
complete -c memden -n __memden_serves -l config -r -F -d 'read options from this file first, one per line as in memcached.conf. Not in memcached'
complete -c memden -n __memden_serves -l logfile -r -F -d 'with -d, append to this file what would go to stderr. Not in memcached'
complete -c memden -n __memden_serves -s o -l extended -x -a '(__memden_suboptions)' -d 'further options, comma separated; see below'
complete -c memden -n '__memden_runs top' -s d -l delay -x -d 'time between two updates (default: 1)'
complete -c memden -n '__memden_runs top' -s n -l count -x -d 'end after so many updates'
complete -c memden -n '__memden_runs top' -s b -l batch -d 'print one update after the other, as plain text; the default without a terminal'
complete -c memden -n '__memden_runs top' -l auth-file -r -F -d 'log in with the first line of this file, user:password, as for -Y'
complete -c memden -n '__memden_runs top' -l tls -d 'speak TLS'
complete -c memden -n '__memden_runs top' -l ca -r -F -d 'certificates of authorities to trust besides those that come with the program, PEM'
complete -c memden -n '__memden_runs top' -l tls-name -x -d 'name that the server\'s certificate must be for, if not that of the address'
complete -c memden -n '__memden_runs top' -s h -l help -d 'print this and exit'
complete -c memden -n '__memden_runs ping' -l timeout -x -d 'how long all of it may take (default: 2)'
complete -c memden -n '__memden_runs ping' -l tls -d 'speak TLS'
complete -c memden -n '__memden_runs ping' -l ca -r -F -d 'certificates of authorities to trust besides those that come with the program, PEM'
complete -c memden -n '__memden_runs ping' -l tls-name -x -d 'name that the server\'s certificate must be for, if not that of the address'
complete -c memden -n '__memden_runs ping' -s h -l help -d 'print this and exit'
