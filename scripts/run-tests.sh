#!/usr/bin/env bash
# Builds and runs every test, keeps the logs in .build/test-logs, and ends with one line of counts:
#
#   N passed, N failed, N skipped
#
# Fails when a test fails, when a suite does not run to its end, and when nothing ran at all.
#
#   FILTER=regex     only the Swift tests that match, and no scenarios
#   TEST_TIMEOUT=s   after how many seconds a suite counts as hung (3600)
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root" || exit 1

logs=$root/.build/test-logs
limit=${TEST_TIMEOUT:-3600}
mkdir -p "$logs"
rm -f "$logs"/*
trap 'exit 130' INT TERM

finish() {
    python3 "$root/scripts/count-tests.py" "$logs"
    exit $?
}

# What comes over the network may not come at once.
for _ in 1 2 3; do
    "$swift" package resolve >"$logs/resolve.log" 2>&1 && break
    sleep 5
done

# All test targets share one program, so the first step builds it whole and the second only runs it.
say "building the tests"
if ! "$swift" build --build-tests 2>&1 | tee "$logs/build.log"; then
    printf 'the tests do not build\n' >"$logs/build.broken"
    finish
fi

say "running the tests"
events=$logs/swift.events.jsonl
: >"$events"
# One after the other: many tests hold a thread while they wait for a real program, and two cores give the pool two threads.
timeout --kill-after=30 "$limit" "$swift" test --skip-build --disable-xctest --no-parallel ${FILTER:+--filter "$FILTER"} \
    --event-stream-version 0 --event-stream-output-path "$events" >"$logs/swift.log" 2>&1 </dev/null
status=$?
# The whole log is long; what a reader wants is what went wrong.
grep -E '^(✘|━|↳|error:|Fatal error|.*: error: |\*\*\* )' "$logs/swift.log" | grep -vE 'Testing Library|Target Platform' | head -n 200
case $status in
0) ;;
124 | 137) printf 'the Swift tests were cut off after %s s\n' "$limit" >"$logs/swift.broken" ;;
*) # A failed test says so itself in the events; anything else that ended the program must not pass for success.
    printf '%s\n' "$status" >"$logs/swift.status"
    grep -q '"kind":"runEnded"' "$events" || {
        printf 'the Swift tests ended with status %s before their end; the last lines of %s:\n' "$status" "$logs/swift.log" \
            >"$logs/swift.broken"
        tail -n 20 "$logs/swift.log" >>"$logs/swift.broken"
    }
    ;;
esac

if [ -z "${FILTER:-}" ]; then
    for scenario in Tests/ScenarioTests/*.sh; do
        [ -e "$scenario" ] || continue
        name=$(basename "$scenario" .sh)
        say "scenario $name"
        timeout --kill-after=30 "$limit" bash "$scenario" >"$logs/$name.tap" 2>"$logs/$name.log" </dev/null
        status=$?
        grep '^not ok' "$logs/$name.tap"
        [ "$status" -eq 0 ] || grep -q '^not ok' "$logs/$name.tap" || {
            printf 'scenario %s ended with status %s:\n' "$name" "$status" >"$logs/$name.broken"
            tail -n 20 "$logs/$name.log" >>"$logs/$name.broken"
        }
    done
fi
finish
