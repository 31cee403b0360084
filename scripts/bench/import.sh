#!/usr/bin/env bash
# Part "import" of scripts/bench.sh: fetches while accounts are imported through the API, beside the same while the import is held.
#
#   IMPORT=100000   accounts that each round imports, beside the ACCOUNTS=1000 that are asked for
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/fetching.sh"

accounts=${ACCOUNTS:-1000} import=${IMPORT:-100000}

# round NUMBER: one import, and fetches beside it and without it in turn until it is over.
round() {
    local number=$1 pair=0
    local hold=$work/import.$number.hold idle=$work/import.$number.idle
    touch "$hold"
    python3 "$bench/import.py" "https://127.0.0.1:$(cat "$work/keyturn/port")" "$work/tls.pem" "$work/keyturn/login.json" "$import" \
        "import$number" "$hold" "$idle" >"$results/import.$number.txt" &
    pids[import]=$!
    while import_holds "$idle"; do
        pair=$((pair + 1))
        # Which of the two is first alternates too: what else the machine does goes up and down.
        if ((pair % 2)); then fetches keyturn 64 "alone-$number-$pair"; fi
        rm "$hold"
        fetches keyturn 64 "beside-$number-$pair"
        touch "$hold"
        import_holds "$idle" || break
        if ((pair % 2 == 0)); then fetches keyturn 64 "alone-$number-$pair"; fi
    done
    wait "${pids[import]}" || fail "the import failed"
    unset 'pids[import]'
}

# import_holds IDLE: waits until the import holds; fails once it is over.
import_holds() {
    while kill -0 "${pids[import]}" 2>/dev/null; do
        [ ! -e "$1" ] || return 0
        sleep 0.1
    done
    return 1
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
