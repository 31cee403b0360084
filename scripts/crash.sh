#!/usr/bin/env bash
# Kills, cuts and fills, again and again, and writes what came of it into docs/reliability.md. Called by `make crash`. The parts:
#
#   vault      kill -9 of a server at work, and while its key is replaced: nothing that was acknowledged is missing
#   changes    password changes on every platform: killed behind each step and at random, cut, landed late
#   hosts      SSH keys, pushes, removals and changes through a gateway: killed behind each step and at random
#   databases  accounts that are pushed to PostgreSQL, MariaDB and Redis, and removed: killed behind each step and at random, cut,
#              landed late, and with the disk full at each commit, half as often
#   disk       password changes on every platform, with the disk full at each commit
#
#   PART="hosts disk"   only these
#   KILLS=200           of the vault
#   HITS=20             how often each step is hit on each platform; of the disk half as often
#   OUTPUT=file         instead of docs/reliability.md; "-" for none
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root" || exit 1

parts=${PART:-vault changes hosts databases disk}
tables=$(mktemp -d "${TMPDIR:-/tmp}/keyturn-crash-XXXXXX")
trap 'rm -rf "$tables"' EXIT
trap 'exit 130' INT TERM
export KEYTURN_CRASHES=${KILLS:-200} KEYTURN_TURN_HITS=${HITS:-20} KEYTURN_CRASH_TABLES=$tables TEST_TIMEOUT=${TEST_TIMEOUT:-7200}

filter() {
    case $1 in
    vault) echo '\.(CrashTests|RekeyCrashTests)/' ;;
    changes) echo '\.TurnCrashTests/' ;;
    hosts) echo '\.HostCrashTests/' ;;
    databases) echo '\.(DatabaseCrashTests|DatabaseDiskCrashTests)/' ;;
    disk) echo '\.DiskCrashTests/' ;;
    *) return 1 ;;
    esac
}

for part in $parts; do
    filter "$part" >/dev/null || fail "there is no part '$part'" "Parts: vault, changes, hosts, databases, disk."
done
# What is built is not measured.
say "building the tests"
"$swift" build --build-tests >/dev/null || fail "the tests do not build" "Run: $swift build --build-tests"
failed=()
for part in $parts; do
    say "crash: $part"
    start=$SECONDS
    output=${OUTPUT:-docs/reliability.md}
    # What a run came to that failed is shown, and not said of the product.
    FILTER=$(filter "$part") scripts/run-tests.sh || { failed+=("$part"); output=-; }
    python3 scripts/crash-report.py "$part" "$tables/$part.md" "$((SECONDS - start))" "$output"
done
[ ${#failed[@]} -eq 0 ] || fail "failed: ${failed[*]}"
