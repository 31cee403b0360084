#!/usr/bin/env bash
# Part "schedule" of scripts/bench.sh: how long a running server takes to start very many tasks that fall due at the same moment.
#
#   TASKS=10000   tasks that are due together
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"

rounds=${ROUNDS:-3} tasks=${TASKS:-10000}
bench=$root/scripts/bench
work=$(mktemp -d "${TMPDIR:-/tmp}/keyturn-bench-XXXXXX")
server= watcher=

cleanup() {
    for pid in $watcher $server; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    if [ -n "${KEEP:-}" ]; then say "kept $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# once ROUND: a vault of its own, whose tasks fall due some seconds after it is served.
once() {
    local name=$work/$1 port due
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir "$name"
    printf 'log:\n  level: warning\n' >"$name/keyturn.yaml"
    "$BIN/keyturnd" init --data "$name/data" --yes --json >"$name/login.json"
    due=$(($(date +%s) + 15 + tasks / 2000))
    "$BIN/BenchLoad" --data "$name/data" --accounts 0 --applications 0 --tasks "$tasks" --due "$due" --output "$name"
    setpriv --pdeathsig TERM "$BIN/keyturnd" serve --data "$name/data" --listen "127.0.0.1:$port" --config "$name/keyturn.yaml" \
        >>"$name/log" 2>&1 </dev/null &
    server=$!
    wait_for_tls "$port" 120 "$server" || { tail -n 20 "$name/log" >&2; fail "keyturn did not start"; }
    # In the background, since a trap of bash waits for what is in the foreground.
    python3 "$bench/schedule.py" "$name/data/keyturn.db" "$tasks" "$due" >"$work/result.$1.json" &
    watcher=$!
    wait "$watcher"
    watcher=
    kill "$server"
    wait "$server" || true
    server=
}

for round in $(seq "$rounds"); do
    say "schedule: round $round of $rounds"
    once "$round"
done
python3 "$bench/schedule-report.py" "$work" "$tasks" "${OUTPUT:-$root/docs/benchmarks.md}"
