#!/usr/bin/env bash
# The project's own scripts, tested from outside. Prints TAP; see scripts/run-tests.sh.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0

# check NAME COMMAND…: ok when the command succeeds.
check() {
    local name=$1
    shift
    number=$((number + 1))
    if "$@" >>"$scratch/output" 2>&1; then echo "ok $number - $name"; else
        echo "not ok $number - $name"
        sed 's/^/# /' "$scratch/output"
    fi
    : >"$scratch/output"
}

counts_are() { [ "$(python3 scripts/count-tests.py "$1" | tail -n 1)" = "$2" ]; }
fails() { ! "$@"; }

for script in scripts/*.sh scripts/bench/*.sh certs/*.sh Tests/ScenarioTests/*.sh .ci/run; do
    check "$script is a shell script that parses" bash -n "$script"
    # These are sourced.
    case $script in scripts/lib.sh | scripts/scenario.sh | scripts/bench/fetching.sh) continue ;; esac
    check "$script can be run" test -x "$script"
done

# Event streams as Swift Testing writes them.
test_record() { printf '{"kind":"test","payload":{"kind":"function","id":"%s","name":"%s"},"version":0}\n' "$1" "$1"; }
event() { printf '{"kind":"event","payload":{"kind":"%s","testID":"%s","messages":[{"symbol":"%s"}]},"version":0}\n' "$1" "$2" "$3"; }
ended() { printf '{"kind":"event","payload":{"kind":"runEnded","messages":[]},"version":0}\n'; }
stream() { mkdir -p "$scratch/$1" && cat >"$scratch/$1/swift.events.jsonl"; }

{ test_record a; test_record b; test_record c; event testStarted a default; event testEnded a pass; event testStarted b default
  event testEnded b fail; event testSkipped c skip; ended; } | stream mixed
{ test_record a; event testStarted a default; event testEnded a pass; ended; } | stream good
{ test_record a; test_record b; event testStarted a default; event testEnded a pass; event testStarted b default; } | stream crashed
{ test_record a; event testStarted a default; event testEnded a pass; printf '{"kind":"eve'; } | stream cut
{ test_record a; ended; } | stream nothing
mkdir "$scratch/empty" "$scratch/taps" "$scratch/short"
printf 'ok 1 - a\nok 2 - b # SKIP no c\nnot ok 3 - d\n1..3\n' >"$scratch/taps/story.tap"
printf 'ok 1 - a\n' >"$scratch/short/story.tap"

check "passed, failed and skipped tests are counted" counts_are "$scratch/mixed" "1 passed, 1 failed, 1 skipped"
check "a failed test fails the run" fails python3 scripts/count-tests.py "$scratch/mixed"
check "a run in which all passes succeeds" python3 scripts/count-tests.py "$scratch/good"
check "a test that began and never ended has failed" counts_are "$scratch/crashed" "1 passed, 1 failed, 0 skipped"
check "a run that was cut off fails" fails python3 scripts/count-tests.py "$scratch/cut"
check "a run in which no test ran fails" fails python3 scripts/count-tests.py "$scratch/nothing"
check "a run without any result fails" fails python3 scripts/count-tests.py "$scratch/empty"
check "results of scenarios are counted" counts_are "$scratch/taps" "1 passed, 1 failed, 1 skipped"
check "a scenario that ends before its plan fails" fails python3 scripts/count-tests.py "$scratch/short"
echo 1 >"$scratch/good/swift.status"
check "an exit status that no test explains fails the run" fails python3 scripts/count-tests.py "$scratch/good"

check "a part of the measurements that is none is refused" fails env PART=nothing scripts/bench.sh

no_swift() { SWIFT=/nowhere/swift bash -c '. scripts/lib.sh; require_swift'; }
check "an unknown purpose of the installation is refused" fails scripts/install-dependencies.sh everything
check "a missing compiler is refused" fails no_swift
check "the message about a missing compiler says what to do" bash -c 'SWIFT=/nowhere/swift bash -c ". scripts/lib.sh; require_swift" 2>&1 | grep -q SWIFT='
printf '#!/bin/sh\necho "Swift version 6.2.4 (swift-6.2.4-RELEASE)"\n' >"$scratch/swift"
chmod +x "$scratch/swift"
old_swift() { SWIFT="$scratch/swift" bash -c '. scripts/lib.sh; require_swift'; }
check "a compiler that is too old is refused" fails old_swift
printf '#!/bin/sh\necho "Apple Swift version 6.10 (x)"\n' >"$scratch/swift"
check "a newer compiler is accepted, and 6.10 is newer than 6.3" old_swift

printf '{"username":"admin","password":"a\\/b","key_directory":"/tmp/k d"}' >"$scratch/login.json"
field_is() { [ "$(bash -c '. scripts/lib.sh; json_field "$1" "$2"' - "$scratch/login.json" "$1")" = "$2" ]; }
check "a field of the first login is read" field_is password a/b
check "a field with a blank is read" field_is key_directory '/tmp/k d'

check "make help lists the verbs" bash -c 'for verb in run test check format build release bench fuzz crash demo clean; do make -s help | grep -q "make $verb " || exit 1; done'
check "the development authority is made and verifies" bash -c '
    set -e; cp -r certs "$1/certs"; cd "$1"; certs/make-development-ca.sh keyturn.test 10.1.2.3 fd00::1
    openssl verify -CAfile certs/development/ca.pem -verify_hostname keyturn.test certs/development/server.pem
    openssl verify -CAfile certs/development/ca.pem -verify_ip 10.1.2.3 certs/development/server.pem
    test "$(stat -c %a certs/development/server.key)" = 600' - "$scratch"
check "a name that is none is refused" fails bash -c 'cd "$1"; certs/make-development-ca.sh "a b"' - "$scratch"
echo "1..$number"
