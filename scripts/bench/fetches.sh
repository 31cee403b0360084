#!/usr/bin/env bash
# Part "fetches" of scripts/bench.sh: a complete secret fetch against nginx serving a static file of the same size, the sides in turn.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/fetching.sh"

connections=${CONNECTIONS:-1 16 64 256} sides=${SIDES:-nginx keyturn} accounts=${ACCOUNTS:-1000}
mkdir "$work/nginx"

has() { case " $sides " in *" $1 "*) true ;; *) false ;; esac; }

# The answer that nginx serves is one that keyturn gave; without keyturn, something of that length.
start_nginx() {
    local port file=$work/nginx/static/api/v1/accounts/integration-applications
    port=$(free_port)
    echo "$port" >"$work/nginx/port"
    mkdir -p "$file"
    if has keyturn; then
        presign keyturn 1 "$requests/one"
        python3 - "$(cat "$work/keyturn/port")" "$requests/one" >"$file/account-secret." <<'PYTHON'
import http.client, socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])))) as connection:
    connection.sendall(open(sys.argv[2], "rb").read().split(b"\n", 1)[1])
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    body = answer.read()
if answer.status != 200 or not body:
    sys.exit(f"the first fetch was refused: {answer.status} {body!r}")
sys.stdout.buffer.write(body)
PYTHON
    else
        head -c 330 /dev/zero | tr '\0' x >"$file/account-secret."
        mkdir -p "$work/keyturn"
        for number in $(seq "$applications"); do
            printf '00000000-0000-0000-0000-%012d\t%036d\n' "$number" "$number"
        done >"$work/keyturn/applications.tsv"
        printf 'host000000\tsvc000000\n' >"$work/keyturn/accounts.tsv"
    fi
    wc -c <"$file/account-secret." >"$results/size.txt"
    { [ "$(id -u)" -ne 0 ] || echo 'user root;'
      sed -e "s#@DIRECTORY@#$work/nginx#g" -e "s#@CERTIFICATE@#$work/tls.pem#" -e "s#@KEY@#$work/tls.key#" -e "s#@PORT@#$port#" \
        "$bench/nginx.conf"; } >"$work/nginx/nginx.conf"
    nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" 2>>"$work/nginx/log" </dev/null &
    pids[nginx]=$!
    wait_for_tls "$port" 20 "${pids[nginx]}" || { cat "$work/nginx/log" "$work/nginx/nginx.log" >&2; fail "nginx did not start"; }
}

# new_connections SIDE full|resumed ROUND
new_connections() {
    local side=$1 mode=$2 round=$3
    presign "$side" 50000 "$requests/requests"
    "$work/connections" 127.0.0.1 "$(cat "$work/$side/port")" "$requests/requests" "$duration" 8 "$mode" \
        >"$results/connections.$side.$mode.$round.txt"
}

negotiated() {
    openssl s_client -connect "127.0.0.1:$(cat "$work/$1/port")" </dev/null 2>/dev/null | sed -n 's/^New, \(.*\)$/\1/p' | head -n 1
}

build_tools
cc -O2 -Wall -Wextra -D_GNU_SOURCE -o "$work/connections" "$bench/connections.c" -lssl -lcrypto -pthread
if has keyturn; then
    start_keyturn keyturn "$accounts"
    cold_start keyturn
    memory "${pids[keyturn]}" >"$results/memory.keyturn.rest.1.txt"
    negotiated keyturn >"$results/tls.keyturn.txt"
fi
start_nginx
memory "${pids[nginx]}" >"$results/memory.nginx.rest.1.txt"
negotiated nginx >"$results/tls.nginx.txt"

for side in $sides; do fetches "$side" 16 warm; done
for round in $(seq "$rounds"); do
    say "fetches: round $round of $rounds"
    for count in $connections; do
        for side in $sides; do fetches "$side" "$count" "$round"; done
    done
    for mode in full resumed; do
        for side in $sides; do new_connections "$side" "$mode" "$round"; done
    done
done

parameters accounts "$accounts"
output=-
if has keyturn && has nginx; then output=${OUTPUT:-$root/docs/benchmarks.md}; fi
python3 "$bench/fetches-report.py" "$results" "$work" "$output"
