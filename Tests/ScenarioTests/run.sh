#!/usr/bin/env bash
# `make run` as a newcomer meets it: the server comes up, and the lines that it prints lead on. Prints TAP; see scripts/run-tests.sh.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/scenario.sh"

port=$(free_port)
# What the tests were built with is at hand.
export CONFIGURATION=debug LISTEN=127.0.0.1:$port KEYTURN_CONFIG=$scratch/client

# Starts it, and waits until it has said where to go next.
comes_up() {
    DATA=$scratch/data scripts/run.sh >"$scratch/shown" 2>&1 </dev/null &
    runner=$!
    for _ in $(seq 1200); do
        grep -q 'Ctrl-C stops the server' "$scratch/shown" && return 0
        kill -0 "$runner" 2>/dev/null || return 1
        sleep 0.25
    done
    return 1
}

ends_well() {
    local status=0
    kill -TERM "$runner"
    wait "$runner" || status=$?
    runner=
    [ "$status" -eq 0 ] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

# The lines for another terminal, as they were printed; the password is typed.
lead_on() {
    sed -n 's/^    \(export\|keyturn\) /\1 /p' "$scratch/shown" >"$scratch/next"
    [ "$(wc -l <"$scratch/next")" -eq 3 ] &&
        json_field "$scratch/data-first-login.json" password | bash -e "$scratch/next" >"$scratch/said" 2>&1 &&
        grep -q 'SUBCOMMANDS' "$scratch/said"
}

is_refused() {
    ! DATA=$scratch/other scripts/run.sh >"$scratch/said" 2>&1 </dev/null &&
        grep -q "something listens on port $port already" "$scratch/said"
}

keys_are_apart() {
    local keys
    keys=$(json_field "$scratch/data-first-login.json" key_directory)
    [ -d "$keys" ] && case $keys/ in "$scratch/data"/*) false ;; esac
}

check "the first start makes a vault, and the server comes up" comes_up
check "the first password is readable by its owner alone" test "$(stat -c %a "$scratch/data-first-login.json")" = 600
check "the keys do not lie with the data" keys_are_apart
check "the lines that it prints lead on to a log-in" lead_on
check "where something listens already it says so" is_refused
check "it is stopped in order, and nothing is left running" ends_well
check "the second start goes on with the same vault" comes_up
check "the same lines lead on" lead_on
check "it is stopped in order again" ends_well
echo "1..$number"
