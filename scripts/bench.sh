#!/usr/bin/env bash
# Measures, and writes what came out into docs/benchmarks.md. Called by `make bench`. The parts:
#
#   fetches    a complete secret fetch against nginx serving a static file of the same size, the sides in turn
#   rotation   password changes on a local sshd against the `ssh` client: scripts/bench/rotation.sh
#   memory     ten thousand password changes on a PostgreSQL, and what the server's memory does: scripts/bench/memory.sh
#   schedule   tasks that fall due at the same moment: scripts/bench/schedule.sh
#
#   PART="rotation schedule"   only these
#   OUTPUT=file                instead of docs/benchmarks.md; "-" for none
#
# Of the fetches:
#
#   ROUNDS=3                   medians are taken over the rounds
#   DURATION=3                 seconds of each measurement
#   CONNECTIONS="1 16 64 256"  kept-alive connections
#   ACCOUNTS=1000              in the data set; APPLICATIONS=1000
#   LARGE=0                    also measure a second data set with so many accounts, for example 1000000
#   LOADER=program             fills a data directory before the server is started; called with
#                              --data DIR --accounts N --applications N --output DIR. Default: Tests/BenchLoad.
#                              LOADER=api goes through the Admin API instead, which takes longer and proves more
#   SIDES="nginx keyturn"
#   BIN=                       a directory with keyturnd and BenchLoad, built already and optimized
#   KEEP=                      any value keeps the directory with the raw results
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

parts=${PART:-fetches rotation memory schedule}
rounds=${ROUNDS:-3} duration=${DURATION:-3} connections=${CONNECTIONS:-1 16 64 256} sides=${SIDES:-nginx keyturn}
accounts=${ACCOUNTS:-1000} applications=${APPLICATIONS:-1000} large=${LARGE:-0} loader=${LOADER:-}
bench=$root/scripts/bench
# Data on a real disk, since commits are measured; requests in memory, since writing them back would disturb the commits.
work=$(mktemp -d "${TMPDIR:-/tmp}/keyturn-bench-XXXXXX")
requests=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "$work")/keyturn-bench-XXXXXX")
results=$work/results
mkdir -p "$results" "$work/nginx"
declare -A pids=()
next=0

cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$requests"
    if [ -n "${KEEP:-}" ]; then say "kept $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

has() { case " $sides " in *" $1 "*) true ;; *) false ;; esac; }
part() { case " $parts " in *" $1 "*) true ;; *) false ;; esac; }

# Sets `bin` and `loader`.
build() {
    bin=${BIN:-}
    if [ -z "$bin" ]; then
        say "building the server, optimized"
        "$swift" build -c release --product keyturnd
        [ -n "$loader" ] || "$swift" build -c release --product BenchLoad
        bin=$("$swift" build -c release --show-bin-path)
    fi
    loader=${loader:-$bin/BenchLoad}
}

# In the background, since a trap of bash waits for what is in the foreground.
run_part() {
    BIN=$bin setpriv --pdeathsig TERM "$bench/$1.sh" &
    pids[part]=$!
    wait "${pids[part]}"
    unset 'pids[part]'
}

build_tools() {
    cc -O2 -Wall -Wextra -D_GNU_SOURCE -Wno-deprecated-declarations -o "$work/presign" "$bench/presign.c" -lcrypto
    cc -O2 -Wall -Wextra -D_GNU_SOURCE -o "$work/connections" "$bench/connections.c" -lssl -lcrypto -pthread
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/tls.key" -out "$work/tls.pem" 2>/dev/null
}

# start_keyturn NAME ACCOUNTS: a data set of its own, filled, served, with its files in $work/NAME.
start_keyturn() {
    local name=$1 count=$2 data=$work/$1/data port
    port=$(free_port)
    mkdir -p "$work/$name"
    cat >"$work/$name/keyturn.yaml" <<YAML
tls:
  certificate: $work/tls.pem
  key: $work/tls.key
rate:
  fetches_per_minute: 0
limits:
  connections_per_address: 4096
log:
  level: warning
YAML
    "$bin/keyturnd" init --data "$data" --yes --json >"$work/$name/login.json"
    local start=$SECONDS
    if [ "$loader" != api ]; then
        say "$name: loading $count accounts and $applications applications"
        "$loader" --data "$data" --accounts "$count" --applications "$applications" --output "$work/$name"
    fi
    serve "$name" "$port"
    if [ "$loader" = api ]; then
        say "$name: loading $count accounts and $applications applications through the API"
        python3 "$bench/prepare.py" "https://127.0.0.1:$port" "$work/tls.pem" "$work/$name/login.json" "$count" "$applications" \
            "$work/$name"
    fi
    echo "$((SECONDS - start))" >"$results/load.$name.txt"
}

serve() {
    local name=$1 port=$2
    echo "$port" >"$work/$name/port"
    "$bin/keyturnd" serve --data "$work/$name/data" --listen "127.0.0.1:$port" --config "$work/$name/keyturn.yaml" \
        >>"$work/$name/log" 2>&1 </dev/null &
    pids[$name]=$!
    wait_for_tls "$port" 120 "${pids[$name]}" || { tail -n 20 "$work/$name/log" >&2; fail "$name did not start"; }
}

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
    cut -d ' ' -f 1 /proc/loadavg >"$results/load-before.txt"
    { [ "$(id -u)" -ne 0 ] || echo 'user root;'
      sed -e "s#@DIRECTORY@#$work/nginx#g" -e "s#@CERTIFICATE@#$work/tls.pem#" -e "s#@KEY@#$work/tls.key#" -e "s#@PORT@#$port#" \
        "$bench/nginx.conf"; } >"$work/nginx/nginx.conf"
    nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" 2>>"$work/nginx/log" </dev/null &
    pids[nginx]=$!
    wait_for_tls "$port" 20 "${pids[nginx]}" || { cat "$work/nginx/log" "$work/nginx/nginx.log" >&2; fail "nginx did not start"; }
}

# presign SIDE COUNT FILE: the same bytes for both sides, but for one character of the path: nginx has a file there.
presign() {
    local side=$1 count=$2 file=$3 names=$work/keyturn path=/api/v1/accounts/integration-applications/account-secret
    case $side in nginx) path+=. ;; *) path+=/ names=$work/$side ;; esac
    "$work/presign" "$names/applications.tsv" "$names/accounts.tsv" "127.0.0.1:$(cat "$work/$side/port")" "$path" "$count" "$next" "$file"
    next=$((next + count))
}

# Proportional set size of a process and its children, in KiB: shared pages count once.
memory() {
    local pid total=0 size
    for pid in "$1" $(ps -o pid= --ppid "$1"); do
        size=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null) || true
        total=$((total + ${size:-0}))
    done
    echo "$total"
}

# fetches SIDE CONNECTIONS ROUND
fetches() {
    local side=$1 count=$2 round=$3 file=$requests/requests per_second=110000
    [ "$count" -ge 16 ] || per_second=50000
    presign "$side" $((duration * per_second)) "$file"
    (sleep "$(awk "BEGIN { print $duration * 0.7 }")"; memory "${pids[$side]}" >"$results/memory.$side.$count.$round.txt") &
    local sampler=$!
    REQUESTS=$file wrk -t1 -c"$count" -d"${duration}s" --latency -s "$bench/requests.lua" "https://127.0.0.1:$(cat "$work/$side/port")" \
        >"$results/wrk.$side.$count.$round.txt" 2>&1
    wait "$sampler"
    rm -f "$file"
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

cold_start() {
    local name=$1 round port
    port=$(cat "$work/$name/port")
    kill -TERM "${pids[$name]}"
    wait "${pids[$name]}" || true
    for round in $(seq "$rounds"); do
        python3 "$bench/first-secret.py" "$work/$name/applications.tsv" "$work/$name/accounts.tsv" 127.0.0.1 "$port" -- \
            "$bin/keyturnd" serve --data "$work/$name/data" --listen "127.0.0.1:$port" --config "$work/$name/keyturn.yaml" \
            >"$results/cold.$name.$round.txt"
    done
    serve "$name" "$port"
}

for name in $parts; do
    case $name in fetches | rotation | memory | schedule) ;; *) fail "there is no part '$name'" "Parts: fetches, rotation, memory, schedule." ;; esac
done
if has keyturn || part rotation || part memory || part schedule; then build; fi
for name in rotation memory schedule; do
    if part "$name"; then run_part "$name"; fi
done
part fetches || exit 0

build_tools
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
    say "round $round of $rounds"
    for count in $connections; do
        for side in $sides; do fetches "$side" "$count" "$round"; done
    done
    for mode in full resumed; do
        for side in $sides; do new_connections "$side" "$mode" "$round"; done
    done
done

if has keyturn && [ "$large" -gt 0 ]; then
    start_keyturn large "$large"
    cold_start large
    memory "${pids[large]}" >"$results/memory.large.rest.1.txt"
    fetches large 16 warm
    for round in $(seq "$rounds"); do
        for count in 64 256; do
            # Beside the small one, in the same rounds, under a name of its own.
            fetches keyturn "$count" "beside-$round"
            fetches large "$count" "$round"
        done
    done
fi

{
    echo "accounts $accounts"
    echo "applications $applications"
    echo "large $large"
    echo "seconds $duration"
    echo "rounds $rounds"
} >"$results/parameters.txt"
if has keyturn && has nginx; then
    python3 "$bench/report.py" "$results" "$work" "${OUTPUT:-$root/docs/benchmarks.md}"
else
    python3 "$bench/report.py" "$results" "$work" -
fi
