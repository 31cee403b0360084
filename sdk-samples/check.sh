#!/usr/bin/env bash
# Runs the samples against a live server and checks what they print:  check.sh ASSET ACCOUNT CHANGE-COMMAND...
# The key comes from the environment, as for the samples; the command changes the account's secret. SAMPLES chooses among them.
set -uo pipefail
cd "$(dirname "$0")"
asset=${1:?usage: check.sh ASSET ACCOUNT CHANGE-COMMAND...} account=${2:?usage: check.sh ASSET ACCOUNT CHANGE-COMMAND...}
shift 2

run_curl() { exec curl/fetch.sh "$@"; }
run_python() { exec python3 python/fetch.py "$@"; }
run_node() { exec node node/fetch.mjs "$@"; }
run_java() { exec java java/Fetch.java "$@"; }
run_go() { cd go && exec go run . "$@"; }
run_swift() {
    local swift=${SWIFT:-swift} built
    # What comes over the network may not come at once.
    for _ in 1 2 3; do "$swift" package --package-path swift resolve >/dev/null 2>&1 && break; done
    # What is said of packages and compiling matters only when it fails.
    built=$("$swift" build --package-path swift --product Sample 2>&1) || { echo "$built" && exit 1; }
    exec "$("$swift" build --package-path swift --show-bin-path 2>/dev/null)/Sample" "$@"
}

shape='^fetched: version [0-9]+, [0-9]+ characters, sha256 [0-9a-f]{8}
refused: status 40[04], code Not found
change the secret now, then press Enter
fetched: version [0-9]+, [0-9]+ characters, sha256 [0-9a-f]{8}
changed: yes$'
passed=0 failed=0
for sample in ${SAMPLES:-curl python node java go swift}; do
    printed=
    coproc SAMPLE { "run_$sample" "$asset" "$account" 2>&1; }
    exec {answers}<&"${SAMPLE[0]}" {input}>&"${SAMPLE[1]}"
    process=$SAMPLE_PID
    while IFS= read -r line <&"$answers"; do
        printed+=${printed:+$'\n'}$line
        [[ $line == "change the secret now"* ]] || continue
        # Without a change the sample would wait for ever.
        if "$@" >&2; then echo >&"$input"; else echo "the secret could not be changed" >&2 && kill "$process"; fi
    done
    exec {answers}<&- {input}>&-
    wait "$process"
    status=$?
    if ((status == 0)) && [[ $printed =~ $shape ]]; then
        passed=$((passed + 1)) && echo "$sample: passed"
    else
        failed=$((failed + 1)) && printf '%s: failed with status %d\n%s\n' "$sample" "$status" "$printed"
    fi
done
echo "$passed passed, $failed failed"
((failed == 0))
