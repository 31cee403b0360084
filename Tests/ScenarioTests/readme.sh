#!/usr/bin/env bash
# The five-minute story of the README and its task, command by command as they stand there. Prints TAP; see scripts/run-tests.sh.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/scenario.sh"

# The blocks of the story, in files of their own: register, fetch, fetch with curl, check the record; then those about a task.
awk '/^## /{story = /five-minute story|Turning secrets/} story' README.md |
    awk -v to="$scratch/block" '/^```sh/{n++; on = 1; next} /^```/{on = 0} on{print > (to n)}'
: >"$scratch/shown"
check "the story has its four blocks, and the task its own" test -s "$scratch/block5" -a ! -e "$scratch/block6"

# What `make run` does before, with what the tests were built with.
PATH=$PWD/.build/debug:$PATH
(umask 077 && keyturnd init --data "$scratch/data" --yes --json >"$scratch/login.json")
port=$(free_port)
keyturnd serve --data "$scratch/data" --listen "127.0.0.1:$port" --allow-root >"$scratch/log" 2>&1 </dev/null &
runner=$!
wait_for_tls "$port" 180 "$runner" || cat "$scratch/log"
KEYTURN_CA=$(json_field "$scratch/login.json" ca_certificate)
export KEYTURN_CA KEYTURN_URL=https://127.0.0.1:$port KEYTURN_CONFIG=$scratch/client
cd "$scratch" || exit 1

json_field login.json password | bash -e block1 >shown 2>&1
check "an asset, an account and an application are registered" shows '^KEYTURN_KEY_SECRET='
key=$(grep -E '^KEYTURN_KEY_(ID|SECRET)=' shown)

# Nobody has a database here: a program of that name says what it was given.
mkdir bin && printf '#!/bin/sh\necho "psql $* with ${#PGPASSWORD} characters"\n' >bin/psql && chmod 755 bin/psql
# The reader puts the key in the place of the dots.
{ printf 'export %s\n' $key; sed '1{/…/d}' block2; } >story2
PATH=$PWD/bin:$PATH bash -e story2 >shown 2>&1
check "our client prints the secret" shows '^correct horse'
check "a command gets it in its environment" shows 'psql -h 10.0.0.7 -U postgres with 13 characters'

{ printf 'export %s\n' $key; cat block3; } >story3
bash -e story3 >shown 2>&1
check "curl and openssl are enough to fetch it" shows '"secret":"correct horse"'

bash -e block4 >shown 2>&1
check "the record is whole" shows '^whole +yes'
check "and tells of the fetches" shows '"action":"secret.fetch".*"outcome":"granted"'

# The block about turning secrets. The host is nobody's: here it is one that refuses at once.
sed 's/10\.0\.0\.8 /127.0.0.1 --protocol ssh:1 /' block5 >turning
sed '/task run/,$d' turning >define
ROOT_PASSWORD=one OLD_PASSWORD=two bash -e define >shown 2>&1
check "a task is defined and tried dry" test $? -eq 0
check "the dry run names account and worker" shows 'deploy.*root'
sed -n '/task run/p' turning >run
bash -e run >shown 2>&1
check "a run that cannot reach its host ends with 1" test $? -eq 1
check "and shows the record" shows 'deploy'
sed -n '/task records/p' turning >records
bash -e records >shown 2>&1
check "the records are listed" shows 'deploy'
echo "1..$number"
