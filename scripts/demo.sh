#!/usr/bin/env bash
# Plays the five-minute story of the README in the terminal, on a server and a data directory of its own, which are gone
# at the end. Called by `make demo`.
#
#   PAUSE=1   seconds between the steps; 0 for none
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

configuration=${CONFIGURATION:-release}
work=$(mktemp -d "${TMPDIR:-/tmp}/keyturn-demo-XXXXXX")
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

chapter() { printf '\n\033[1m── %s\033[0m\n' "$*"; sleep "${PAUSE:-1}"; }
show() {
    printf '\033[2m$ %s\033[0m\n' "$*"
    "$@"
}
expect_failure() {
    printf '\033[2m$ %s\033[0m\n' "$*"
    ! "$@" || fail "this should have failed"
}

say "building ($configuration)"
"$swift" build -c "$configuration" --product keyturnd
"$swift" build -c "$configuration" --product keyturn
PATH=$("$swift" build -c "$configuration" --show-bin-path):$PATH
data=$work/data
export KEYTURN_CONFIG=$work/client
port=$(free_port 2>/dev/null || echo 8743)
export KEYTURN_URL=https://127.0.0.1:$port

start() {
    keyturnd serve --data "$data" --listen "127.0.0.1:$port" >>"$work/log" 2>&1 </dev/null &
    server=$!
    wait_for_tls "$port" 180 "$server" || { tail -n 20 "$work/log" >&2; fail "the server did not start"; }
}

stop() {
    kill "$server"
    wait "$server" || true
    server=
}

chapter "A new vault: keys beside the data, never inside"
(umask 077 && keyturnd init --data "$data" --yes --json >"$work/login.json")
sed 's/"password":"[^"]*"/"password":"…"/' "$work/login.json"
KEYTURN_CA=$(json_field "$work/login.json" ca_certificate)
export KEYTURN_CA
start

chapter "An asset, an account, an application"
json_field "$work/login.json" password | show keyturn login "$KEYTURN_URL" --ca "$KEYTURN_CA"
show keyturn asset create db1 --address 10.0.0.7 --platform PostgreSQL
printf %s 'correct horse battery' | show keyturn account create db1 root --username postgres
show keyturn app create billing --all-accounts --ip 127.0.0.1 --credentials-file "$work/billing.json"
key=$(json_field "$work/billing.json" key_id)
secret=$(json_field "$work/billing.json" key_secret)

# fetch ADDRESS: a signed request with nothing but openssl and curl, from the given local address.
fetch() {
    local target='/api/v1/accounts/integration-applications/account-secret/?asset=db1&account=root'
    local org=00000000-0000-0000-0000-000000000002 date signature
    date=$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S GMT')
    signature=$(printf '(request-target): get %s\naccept: application/json\ndate: %s\nx-jms-org: %s' "$target" "$date" "$org" |
        openssl dgst -sha256 -hmac "$secret" -binary | base64)
    curl --silent --show-error --interface "$1" --cacert "$KEYTURN_CA" --write-out '\n(status %{http_code})\n' \
        -H 'Accept: application/json' -H "Date: $date" -H "X-JMS-ORG: $org" -H 'X-Source: jms-pam' \
        -H "Authorization: Signature keyId=\"$key\",algorithm=\"hmac-sha256\",headers=\"(request-target) accept date x-jms-org\",signature=\"$signature\"" \
        "$KEYTURN_URL$target"
}

chapter "The application fetches, with curl and a signature"
show fetch 127.0.0.1
chapter "The same from an address that its policy does not list"
show fetch 127.0.0.2
chapter "With our client, into the environment of a command"
show keyturn run --credentials "$work/billing.json" --env PGPASSWORD=db1/root -- sh -c 'echo "psql would get a password of ${#PGPASSWORD} characters"'

chapter "A copy of the database opens nothing"
if grep -rqa 'correct horse battery' "$data"; then fail "the secret stands in the data directory"; fi
echo "'correct horse battery' stands nowhere in $data"

chapter "Both fetches, and all the rest, are on the record"
show keyturnd audit verify --data "$data"
echo
# Of each entry: its number, who, from where, what, and how it ended.
# Reading the record is on the record too, behind the fetches.
keyturnd audit export --data "$data" | grep '"action":"secret.fetch"' | tail -n 3 |
    sed -E 's/.*"seq":([0-9]+),.*"name":"([^"]*)"[^{]*"address":"([^"]*)".*"action":"([^"]*)".*"outcome":"([^"]*)"(,"reason":"([^"]*)")?.*/\1  \2  \3  \4  \5  \7/'

chapter "Somebody changes one letter of the record"
stop
place=$(grep -abo billing "$data/audit.db" | tail -n 1 | cut -d : -f 1)
[ -n "$place" ] || fail "no entry to change was found"
printf B | dd of="$data/audit.db" bs=1 seek="$place" conv=notrunc status=none
expect_failure keyturnd audit verify --data "$data"

chapter "Done. 'make run' gives you a server of your own"
