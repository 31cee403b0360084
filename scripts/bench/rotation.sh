#!/usr/bin/env bash
# Part "rotation" of scripts/bench.sh: password changes with verification on a local sshd, against the `ssh` client making as
# many logins, in turn; and Keyturn's memory over ten thousand changes. Settings besides those of bench.sh:
#
#   CHANGES=1000     changes of a round, each of another account
#   CONCURRENCY=50   changes at the same time, on the one host
#   TOTAL=10000      changes in all, for the memory: what the rounds leave follows without the peer
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"

rounds=${ROUNDS:-3} changes=${CHANGES:-1000} concurrency=${CONCURRENCY:-50} total=${TOTAL:-10000}
bench=$root/scripts/bench
work=$(mktemp -d "${TMPDIR:-/tmp}/keyturn-bench-XXXXXX")
driver= server= host=

cleanup() {
    for pid in $driver $server; do kill "$pid" 2>/dev/null || true; done
    # The host goes with its first process, and everything in it; unshare leaves milder signals to that.
    [ -z "$host" ] || kill -KILL "$host" 2>/dev/null || true
    wait 2>/dev/null || true
    if [ -n "${KEEP:-}" ]; then say "kept $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

namespace=(unshare --mount --pid --fork --kill-child --mount-proc --propagation private)
if ! "${namespace[@]}" sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/u /run/w &&
        mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w /etc' 2>"$work/obstacle"; then
    say "rotation: skipped, since no host of its own can be made here: $(tail -n 1 "$work/obstacle")"
    exit 0
fi

# If this script is killed outright, the kernel ends the host and tells the server; the pipe does so too.
mkfifo "$work/leash"
: >"$work/host.out"
ssh_port=$(free_port)
ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/root"
setpriv --pdeathsig KILL "${namespace[@]}" "$bench/target-host.sh" "$ssh_port" "$changes" "$(cat "$work/root.pub")" \
    >"$work/host.out" 2>"$work/host.log" <"$work/leash" 9>&- &
host=$!
exec 9>"$work/leash"
until grep -qx up "$work/host.out"; do
    kill -0 "$host" 2>/dev/null || { tail -n 5 "$work/host.log" >&2; fail "the host did not start"; }
    sleep 0.1
done
echo "[127.0.0.1]:$ssh_port $(head -n 1 "$work/host.out")" >"$work/known_hosts"

serve_changes

# In the background, since a trap of bash waits for what is in the foreground.
setpriv --pdeathsig TERM python3 "$bench/rotation.py" --url "https://127.0.0.1:$port" --authority "$(json_field "$work/login.json" ca_certificate)" \
    --login "$work/login.json" --server "$server" --host "$host" --ssh-port "$ssh_port" --work "$work" --rounds "$rounds" \
    --changes "$changes" --concurrency "$concurrency" --total "$total" 9>&- &
driver=$!
wait "$driver"
driver=
python3 "$bench/rotation-report.py" "$work/rotation.json" "${OUTPUT:-$root/docs/benchmarks.md}"
