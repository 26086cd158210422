#!/bin/sh
# Starts the requested program, by the rules of memcached's official image:
#
#   docker run IMAGE                          memcached
#   docker run IMAGE -m 1024 -c 4096          memcached -m 1024 -c 4096
#   docker run IMAGE memcached -m 64          unchanged; likewise memden, or any other program
#   docker run IMAGE ping | top [ADDRESS]     memden's sub-commands
#
# exec: the server is process 1 and gets the container's signals.
set -eu

case "${1:-}" in
  '' | -*) set -- memcached "$@" ;;
  ping | top) set -- memden "$@" ;;
esac

# SIGUSR1 is for the server, not for Deno's debugger: docs/warm-restart.md. With the signal blocked
# here memden need not execute itself again.
case "$1" in
  memcached | memden) set -- env --block-signal=USR1 "$@" ;;
esac

exec "$@"
