#!/usr/bin/env bash
# Part "memory" of scripts/bench.sh: Keyturn's memory over ten thousand password changes with verification, on a local PostgreSQL over
# TLS, which takes them faster than a host does. Settings besides those of bench.sh:
#
#   CHANGES=1000     accounts, and changes between two looks at the memory
#   CONCURRENCY=8    changes at the same time
#   TOTAL=10000      changes in all
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"

changes=${CHANGES:-1000} concurrency=${CONCURRENCY:-8} total=${TOTAL:-10000}
bench=$root/scripts/bench
work=$(mktemp -d "${TMPDIR:-/tmp}/keyturn-bench-XXXXXX")
driver= server= database=

cleanup() {
    for pid in $driver $server $database; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    if [ -n "${KEEP:-}" ]; then say "kept $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# PostgreSQL does not run as root.
as_nobody=()
[ "$(id -u)" -ne 0 ] || as_nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
programs=$(compgen -G '/usr/lib/postgresql/*/bin' | tail -n 1)
base=$work/base
chmod 0755 "$work"
mkdir "$base"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$base/tls.key" -out "$base/tls.pem" 2>/dev/null
tr -d '\n' </proc/sys/kernel/random/uuid >"$base/password"
chmod 0600 "$base/tls.key"
[ "$(id -u)" -ne 0 ] || chown -R nobody:nogroup "$base"
"${as_nobody[@]}" "$programs/initdb" -D "$base/data" -U postgres --pwfile="$base/password" --auth-local=trust \
    --auth-host=scram-sha-256 -E UTF8 --no-sync >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; fail "no database"; }
database_port=$(free_port)
(cd "$base" && exec setpriv --pdeathsig INT "${as_nobody[@]}" "$programs/postgres" -D data -c listen_addresses=127.0.0.1 \
    -c port="$database_port" -c unix_socket_directories="$base" -c ssl=on -c ssl_cert_file="$base/tls.pem" \
    -c ssl_key_file="$base/tls.key" -c max_connections=$((concurrency * 4 + 20))) >"$work/postgres.log" 2>&1 </dev/null &
database=$!
sql() { "${as_nobody[@]}" psql -X -q -v ON_ERROR_STOP=1 -h "$base" -p "$database_port" -U postgres -d postgres; }
until echo 'SELECT 1' | sql >/dev/null 2>&1; do
    kill -0 "$database" 2>/dev/null || { tail -n 5 "$work/postgres.log" >&2; fail "the database did not start"; }
    sleep 0.2
done
seq -f 'CREATE ROLE svc%06.0f LOGIN;' "$changes" | sql

serve_changes

# In the background, since a trap of bash waits for what is in the foreground.
setpriv --pdeathsig TERM python3 "$bench/memory.py" --url "https://127.0.0.1:$port" \
    --authority "$(json_field "$work/login.json" ca_certificate)" --login "$work/login.json" --server "$server" \
    --database-port "$database_port" --password "$base/password" --database-authority "$base/tls.pem" --results "$work/memory.json" \
    --changes "$changes" --concurrency "$concurrency" --total "$total" &
driver=$!
wait "$driver"
driver=
python3 "$bench/memory-report.py" "$work/memory.json" "${OUTPUT:-$root/docs/benchmarks.md}"
