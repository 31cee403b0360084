#!/usr/bin/env bash
# Measures, and writes what came out into docs/benchmarks.md. Called by `make bench`. Each part is a script of its own in scripts/bench,
# which tells its settings:
#
#   fetches    a complete secret fetch against nginx serving a static file of the same size, the sides in turn
#   large      fetches out of a million accounts, beside the same out of a thousand
#   import     fetches while a hundred thousand accounts are imported through the API
#   rotation   password changes on a local sshd against the `ssh` client
#   memory     ten thousand password changes on a PostgreSQL, and what the server's memory does
#   schedule   tasks that fall due at the same moment
#
#   PART="rotation schedule"   only these
#   OUTPUT=file                instead of docs/benchmarks.md; "-" for none
#   ROUNDS=3                   medians are taken over the rounds
#   BIN=                       a directory with keyturnd and BenchLoad, built already and optimized
#   KEEP=                      any value keeps the directories with the raw results
#
# Of the parts about fetches:
#
#   DURATION=3                 seconds of each measurement
#   CONNECTIONS="1 16 64 256"  kept-alive connections, of the part fetches
#   ACCOUNTS=1000              in the data set; APPLICATIONS=1000
#   LOADER=program             fills a data directory before the server is started; called with
#                              --data DIR --accounts N --applications N --output DIR. Default: Tests/BenchLoad.
#                              LOADER=api goes through the Admin API instead, which takes longer and proves more
#   SIDES="nginx keyturn"      of the part fetches
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

every="fetches large import rotation memory schedule"
parts=${PART:-$every}
part_pid=

cleanup() {
    [ -z "$part_pid" ] || kill "$part_pid" 2>/dev/null || true
    wait 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Sets `bin`.
build() {
    bin=${BIN:-}
    [ -z "$bin" ] || return 0
    say "building the server, optimized"
    "$swift" build -c release --product keyturnd
    "$swift" build -c release --product BenchLoad
    bin=$("$swift" build -c release --show-bin-path)
}

# In the background, since a trap of bash waits for what is in the foreground.
run_part() {
    BIN=$bin setpriv --pdeathsig TERM "$root/scripts/bench/$1.sh" &
    part_pid=$!
    wait "$part_pid"
    part_pid=
}

for name in $parts; do
    case " $every " in *" $name "*) ;; *) fail "there is no part '$name'" "Parts: $every." ;; esac
done
build
# In the order of the list, whatever the order of the wish.
for name in $every; do
    case " $parts " in *" $name "*) run_part "$name" ;; esac
done
