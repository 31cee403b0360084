# How a scenario of Tests/ScenarioTests begins; sourced, not run. Each prints TAP and ends with `echo "1..$number"`.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root" || exit 1
scratch=$(mktemp -d)
# What the scenario has started and not ended yet.
runner=
cleanup() {
    [ -z "$runner" ] || kill "$runner" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT
number=0

# check NAME COMMAND…: ok when the command succeeds; else what there is to see is shown.
check() {
    number=$((number + 1))
    if "${@:2}"; then echo "ok $number - $1"; else
        echo "not ok $number - $1"
        sed 's/^/# /' "$scratch/shown" "$scratch/said" 2>/dev/null
    fi
}
shows() { grep -qE -- "$1" "$scratch/shown"; }
