# Shared by the scripts of this directory; sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Which swift builds the project: SWIFT, or the one on PATH.
swift=${SWIFT:-swift}
minimum_swift=6.3

say() { printf '%s\n' "keyturn: $*" >&2; }

# fail WHAT [REMEDY]: says what is wrong and what to do about it, and ends the script.
fail() {
    printf '%s\n' "keyturn: $1" >&2
    [ $# -lt 2 ] || printf '%s\n' "         $2" >&2
    exit 1
}

require_swift() {
    local found
    command -v "$swift" >/dev/null 2>&1 || fail "no Swift compiler: '$swift' is not on PATH" \
        "Install Swift $minimum_swift or newer (https://www.swift.org/install/linux), or name it with SWIFT=/path/to/swift."
    found=$("$swift" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    [ -n "$found" ] || fail "'$swift --version' does not say which Swift it is" "Name another one with SWIFT=/path/to/swift."
    [ "$(printf '%s\n%s\n' "$minimum_swift" "$found" | sort -V | head -n 1)" = "$minimum_swift" ] ||
        fail "Swift $found is too old" \
            "Keyturn needs $minimum_swift or newer (https://www.swift.org/install/linux); or name another with SWIFT=/path/to/swift."
}

# wait_for_tls PORT SECONDS PID: until something answers HTTPS on 127.0.0.1:PORT; any status will do, since
# health is told to strangers by the plain listener only. Fails when the process PID ends first.
wait_for_tls() {
    local port=$1 deadline=$((SECONDS + $2)) pid=$3
    until curl --silent --insecure --max-time 10 --output /dev/null "https://127.0.0.1:$port/readyz"; do
        kill -0 "$pid" 2>/dev/null || return 1
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# json_field FILE NAME: the value of a string field of a flat JSON object, as our own commands print them.
json_field() {
    sed -n 's/.*"'"$2"'"[[:space:]]*:[[:space:]]*"\(\([^"\\]\|\\.\)*\)".*/\1/p' "$1" | head -n 1 | sed 's/\\\//\//g'
}

# A port of the loopback interface on which nobody listens at the moment; not one of those that the system gives to outgoing connections,
# which come at any moment.
free_port() {
    python3 -c '
import random, socket
while True:
    try: s = socket.create_server(("127.0.0.1", random.randrange(10000, 32000)))
    except OSError: continue
    print(s.getsockname()[1])
    break'
}

# Starts a server for many changes at once, for the benchmarks of these: reads $BIN, $work and $concurrency, sets $server and $port.
serve_changes() {
    port=$(free_port)
    cat >"$work/keyturn.yaml" <<YAML
automation:
  accounts_at_once: $concurrency
  accounts_per_host: $concurrency
log:
  level: warning
YAML
    "$BIN/keyturnd" init --data "$work/data" --yes --json >"$work/login.json"
    # Descriptor 9 is the leash of a host, where there is one; the server must not hold it.
    setpriv --pdeathsig TERM "$BIN/keyturnd" serve --data "$work/data" --listen "127.0.0.1:$port" --config "$work/keyturn.yaml" \
        >>"$work/log" 2>&1 </dev/null 9>&- &
    server=$!
    wait_for_tls "$port" 120 "$server" || { tail -n 20 "$work/log" >&2; fail "keyturn did not start"; }
}
