#!/usr/bin/env bash
# `make demo` as a visitor sees it, unattended. Prints TAP; see scripts/run-tests.sh.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/scenario.sh"

# What the tests were built with is at hand; nobody watches, so there are no pauses.
mkdir "$scratch/tmp"
TMPDIR=$scratch/tmp CI=true PAUSE=0 CONFIGURATION=debug scripts/demo.sh >"$scratch/shown" 2>&1 </dev/null
status=$?

hides() { ! shows "$1"; }

check "the demo runs to its end" test "$status" -eq 0
check "the secret is fetched" shows '"secret":"correct horse battery"'
check "the fetch is granted" shows '^\(status 200\)'
check "another address is refused" shows '^\(status 401\)'
check "the refusal says nothing of addresses" hides '"detail":"[^"]*address'
check "the client hands the secret to a command" shows 'a password of 21 characters'
check "the record is whole" shows '^whole +yes'
check "the true reason stands in the record" shows 'billing  127.0.0.2  secret.fetch  refused  address not allowed for the application'
check "the changed letter is found, and its entry named" shows '^broken entry +[0-9]+'
check "nothing is left running or lying about" bash -c "! compgen -G \"$scratch/tmp/keyturn*\" >/dev/null"
echo "1..$number"
