#!/usr/bin/env bash
# Part "large" of scripts/bench.sh: fetches out of a very large data set, beside the same out of a small one.
#
#   LARGE=1000000   accounts of the large one; ACCOUNTS=1000 of the small one
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/fetching.sh"

accounts=${ACCOUNTS:-1000} large=${LARGE:-1000000}

build_tools
start_keyturn keyturn "$accounts"
start_keyturn large "$large"
for name in keyturn large; do
    cold_start "$name"
    memory "${pids[$name]}" >"$results/memory.$name.rest.1.txt"
    fetches "$name" 16 warm
done
for round in $(seq "$rounds"); do
    say "large: round $round of $rounds"
    for count in 64 256; do
        for name in keyturn large; do fetches "$name" "$count" "$round"; done
    done
done

parameters accounts "$accounts" large "$large"
python3 "$bench/large-report.py" "$results" "${OUTPUT:-$root/docs/benchmarks.md}"
