# Generated from lib/config/options.ts and lib/cli/sub_commands.ts by `deno task docs`.
# bash completion for memden: source it, or put it into bash-completion's folder as "memden".

# Says what there is to choose as a value: _memden_value COMMAND OPTION TYPED
_memden_value() {
  case "$1 $2" in
    " -s" | " --unix-socket") compgen -f -- "$3" ;;
    " -u" | " --user") compgen -u -- "$3" ;;
    " -P" | " --pidfile") compgen -f -- "$3" ;;
    " -B" | " --protocol") compgen -W 'auto ascii binary' -- "$3" ;;
    " -Y" | " --auth-file") compgen -f -- "$3" ;;
    " -e" | " --memory-file") compgen -f -- "$3" ;;
    " --transport") compgen -W 'auto native relay' -- "$3" ;;
    " --config") compgen -f -- "$3" ;;
    " --logfile") compgen -f -- "$3" ;;
    " -o" | " --extended") _memden_suboption "$3" ;;
    "top --auth-file") compgen -f -- "$3" ;;
    "top --ca") compgen -f -- "$3" ;;
    "ping --ca") compgen -f -- "$3" ;;
  esac
}

# The same for what stands behind the last comma of -o.
_memden_suboption() {
  local head= last=${1##*,}
  [[ $1 == *,* ]] && head=${1%"$last"}
  case "$last" in
    hash_algorithm=*) compgen -P "$head" -W 'hash_algorithm=murmur3 hash_algorithm=jenkins hash_algorithm=xxh3' -- "$last" ;;
    ssl_chain_cert=*) compgen -P "${head}ssl_chain_cert=" -f -- "${last#*=}" ;;
    ssl_key=*) compgen -P "${head}ssl_key=" -f -- "${last#*=}" ;;
    ssl_ca_cert=*) compgen -P "${head}ssl_ca_cert=" -f -- "${last#*=}" ;;
    *=*) ;;
    *) compgen -P "$head" -W 'maxconns_fast no_maxconns_fast hashpower= no_hashexpand hash_algorithm= slab_reassign no_slab_reassign slab_automove no_slab_automove slab_automove_ratio= slab_automove_window= slab_automove_freeratio= slab_sizes= slab_chunk_max= no_chunked_items tail_repair_time= lru_crawler no_lru_crawler lru_crawler_sleep= lru_crawler_tocrawl= lru_maintainer no_lru_maintainer hot_lru_pct= warm_lru_pct= hot_max_factor= warm_max_factor= temporary_ttl= idle_timeout= watcher_logbuf_size= worker_logbuf_size= read_buf_mem_limit= resp_obj_mem_limit= track_sizes inline_ascii_resp no_inline_ascii_resp modern no_modern drop_privileges no_drop_privileges relaxed_privileges sock_cookie_id= ssl_chain_cert= ssl_key= ssl_verify_mode= ssl_keyformat= ssl_ca_cert= ssl_wbuf_size= ssl_session_cache ssl_min_version=' -- "$last" ;;
  esac
}

_memden() {
  local line word words option command= cut candidate
  line=${COMP_LINE:0:COMP_POINT}
  word=${line##*[[:space:]]}
  # What bash takes for the word begins behind the last character that it cuts at.
  cut=${COMP_WORDS[COMP_CWORD]}
  case "$cut" in = | :) cut= ;; esac
  cut=${word%"$cut"}
  read -ra words <<<"${line%"$word"}"
  case "${words[1]-}" in top | ping) command=${words[1]} ;; esac
  option=${words[${#words[@]} - 1]}

  local takes_value=
  case "$command $option" in
    " -p" | " --port" | " -U" | " --udp-port" | " -s" | " --unix-socket" | " -a" | " --unix-mask" | " -l" | " --listen" | " -u" | " --user" | " -m" | " --memory-limit" | " -c" | " --conn-limit" | " -P" | " --pidfile" | " -f" | " --slab-growth-factor" | " -n" | " --slab-min-size" | " -D" | " -t" | " --threads" | " -R" | " --max-reqs-per-event" | " -b" | " --listen-backlog" | " -B" | " --protocol" | " -I" | " --max-item-size" | " -Y" | " --auth-file" | " -e" | " --memory-file" | " -N" | " --napi_ids" | " --transport" | " --admin" | " --config" | " --logfile" | " -o" | " --extended") takes_value=1 ;;
    "top -d" | "top --delay" | "top -n" | "top --count" | "top --auth-file" | "top --ca" | "top --tls-name") takes_value=1 ;;
    "ping --timeout" | "ping --ca" | "ping --tls-name") takes_value=1 ;;
  esac

  COMPREPLY=()
  while IFS= read -r candidate; do
    [[ $candidate == *= ]] && compopt -o nospace 2>/dev/null
    [[ -e ${candidate#*=} ]] && compopt -o filenames 2>/dev/null
    COMPREPLY+=("${candidate#"$cut"}")
  done < <(
    if [[ $takes_value ]]; then
      _memden_value "$command" "$option" "$word"
    elif [[ $word == --*=* ]]; then
      _memden_value "$command" "${word%%=*}" "${word#*=}" | while IFS= read -r candidate; do
        printf '%s=%s\n' "${word%%=*}" "$candidate"
      done
    elif [[ $word == -* ]]; then
      case "$command" in
        '') compgen -W '-p --port= -U --udp-port= -s --unix-socket= -a --unix-mask= -A --enable-shutdown -l --listen= -d --daemon -r --enable-coredumps -u --user= -m --memory-limit= -M --disable-evictions -c --conn-limit= -k --lock-memory -v --verbose -h --help -i --license -V --version -P --pidfile= -f --slab-growth-factor= -n --slab-min-size= -L --enable-largepages -D -t --threads= -R --max-reqs-per-event= -C --disable-cas -b --listen-backlog= -B --protocol= -I --max-item-size= -S --enable-sasl -F --disable-flush-all -X --disable-dumping -W --disable-watch -Y --auth-file= -e --memory-file= -Z --enable-ssl -N --napi_ids= --transport= --admin= --admin-keys --config= --logfile= -o --extended=' -- "$word" ;;
        top) compgen -W '-d --delay= -n --count= -b --batch --auth-file= --tls --ca= --tls-name= -h --help' -- "$word" ;;
        ping) compgen -W '--timeout= --tls --ca= --tls-name= -h --help' -- "$word" ;;
      esac
    elif [[ $command ]]; then
      compgen -A hostname -- "$word"
      compgen -f -- "$word"
    elif [[ ${#words[@]} -eq 1 ]]; then
      compgen -W 'top ping' -- "$word"
    fi
  )
}

complete -F _memden memden
