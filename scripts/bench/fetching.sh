# What the parts of scripts/bench.sh share that measure fetches; sourced, not run. Makes a directory for the part and removes it at its end.
#
# $BIN holds the programs. Settings: see scripts/bench.sh.

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"

rounds=${ROUNDS:-3} duration=${DURATION:-3} applications=${APPLICATIONS:-1000}
bin=${BIN:-} loader=${LOADER:-${BIN:-}/BenchLoad}
bench=$root/scripts/bench
# Data on a real disk, since commits are measured; requests in memory, since writing them back would disturb the commits.
work=$(mktemp -d "${TMPDIR:-/tmp}/keyturn-bench-XXXXXX")
requests=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "$work")/keyturn-bench-XXXXXX")
results=$work/results
mkdir -p "$results"
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

# The programs that make the load, and a certificate; and how busy the machine is before anything else.
build_tools() {
    cut -d ' ' -f 1 /proc/loadavg >"$results/load-before.txt"
    cc -O2 -Wall -Wextra -D_GNU_SOURCE -Wno-deprecated-declarations -o "$work/presign" "$bench/presign.c" -lcrypto
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

# fetches SIDE CONNECTIONS NAME: what wrk says goes to wrk.SIDE.CONNECTIONS.NAME.txt, when it began and ended to time.….
fetches() {
    local side=$1 count=$2 name=$1.$2.$3 file=$requests/requests per_second=110000
    [ "$count" -ge 16 ] || per_second=50000
    presign "$side" $((duration * per_second)) "$file"
    (sleep "$(awk "BEGIN { print $duration * 0.7 }")"; memory "${pids[$side]}" >"$results/memory.$name.txt") &
    local sampler=$!
    date +%s.%N >"$results/time.$name.txt"
    REQUESTS=$file wrk -t1 -c"$count" -d"${duration}s" --latency -s "$bench/requests.lua" "https://127.0.0.1:$(cat "$work/$side/port")" \
        >"$results/wrk.$name.txt" 2>&1
    date +%s.%N >>"$results/time.$name.txt"
    wait "$sampler"
    rm -f "$file"
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

# Writes "name value" lines for the report: parameters NAME VALUE…
parameters() { printf '%s %s\n' seconds "$duration" rounds "$rounds" applications "$applications" "$@" >"$results/parameters.txt"; }
