#!/usr/bin/env bash
# Part "import" of scripts/bench.sh: fetches while accounts are imported through the API, beside the same before the import.
#
#   IMPORT=100000   accounts that each round imports, beside the ACCOUNTS=1000 that are asked for
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/fetching.sh"

accounts=${ACCOUNTS:-1000} import=${IMPORT:-100000}

# round NUMBER: fetches, then the import with fetches again and again until it is over.
round() {
    local number=$1 window=0
    local ready=$work/import.$number.ready go=$work/import.$number.go
    python3 "$bench/import.py" "https://127.0.0.1:$(cat "$work/keyturn/port")" "$work/tls.pem" "$work/keyturn/login.json" "$import" \
        "import$number" "$ready" "$go" >"$results/import.$number.txt" &
    pids[import]=$!
    until [ -e "$ready" ]; do
        kill -0 "${pids[import]}" 2>/dev/null || fail "the import did not begin"
        sleep 0.1
    done
    fetches keyturn 64 "alone-$number"
    touch "$go"
    while kill -0 "${pids[import]}" 2>/dev/null; do
        window=$((window + 1))
        fetches keyturn 64 "beside-$number-$window"
    done
    wait "${pids[import]}" || fail "the import failed"
    unset 'pids[import]'
}

build_tools
start_keyturn keyturn "$accounts"
fetches keyturn 16 warm
for number in $(seq "$rounds"); do
    say "import: round $number of $rounds"
    round "$number"
done

parameters accounts "$accounts" import "$import"
python3 "$bench/import-report.py" "$results" "${OUTPUT:-$root/docs/benchmarks.md}"
