#!/usr/bin/env bash
# Builds the server, creates a data directory on the first start, starts the server in the foreground and says where to
# go next. Called by `make run`.
#
#   DATA=data               the data directory; its keys lie beside it, never inside
#   LISTEN=127.0.0.1:8443   where to listen
#   CONFIGURATION=release   debug builds faster and serves slower
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

data=${DATA:-data}
listen=${LISTEN:-127.0.0.1:8443}
configuration=${CONFIGURATION:-release}
port=${listen##*:}
# The commands below are for another terminal, which may be somewhere else.
case $data in /*) ;; *) data=$PWD/$data ;; esac
bootstrap=$data-first-login.json

say "building ($configuration); the first time takes a few minutes"
"$swift" build -c "$configuration" --product keyturnd
"$swift" build -c "$configuration" --product keyturn
bin=$("$swift" build -c "$configuration" --show-bin-path)

if [ ! -e "$data" ]; then
    say "creating $data"
    # The answer holds the first password: only its owner may read it.
    (umask 077 && "$bin/keyturnd" init --data "$data" --yes --json >"$bootstrap.new") || {
        cat "$bootstrap.new" >&2
        rm -f "$bootstrap.new"
        fail "the data directory could not be created" "Read the message above; then remove $data if it was left behind."
    }
    mv "$bootstrap.new" "$bootstrap"
fi

# Another program that answers there would look like ours coming up.
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    fail "something listens on port $port already" "Stop it, or choose another place: LISTEN=127.0.0.1:9443 make run"
fi
"$bin/keyturnd" serve --data "$data" --listen "$listen" ${CONFIG:+--config "$CONFIG"} &
server=$!
trap 'kill -TERM "$server" 2>/dev/null || true' INT TERM
if ! wait_for_tls "$port" 180 "$server"; then
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    fail "the server did not come up" "Its reason is above; '$bin/keyturnd doctor --data $data' looks for more."
fi

if [ -e "$bootstrap" ]; then
    username=$(json_field "$bootstrap" username)
    ca=$(json_field "$bootstrap" ca_certificate)
    recovery=$(json_field "$bootstrap" recovery_file)
    keys=$(json_field "$bootstrap" key_directory)
fi
# Whoever removed the first login still needs the authority; a certificate of one's own has another.
if [ -z "${ca:-}" ] && [ -e "$data/tls/ca.pem" ]; then ca=$data/tls/ca.pem; fi
cat >&2 <<TEXT

  Keyturn is running at https://$listen/

  user           ${username:-admin}
  password       in $bootstrap (readable by you alone; remove it once you have it elsewhere)
  CA certificate ${ca:-see $bootstrap}
  keys           ${keys:-see $bootstrap} (a copy of $data alone opens nothing without them)
  recovery code  ${recovery:-see $bootstrap} (move it off this machine; 'keyturnd doctor' reminds you until you do)

  Next, in another terminal:

    export PATH="$bin:\$PATH" KEYTURN_URL=https://$listen KEYTURN_CA="${ca:-}"
    keyturn login "\$KEYTURN_URL" --ca "\$KEYTURN_CA"
    keyturn asset --help

  README.md has the five-minute story; Ctrl-C stops the server.

TEXT
# The first wait ends early when a signal comes; the second one collects the server that the signal stopped.
status=0
wait "$server" || status=$?
if kill -0 "$server" 2>/dev/null; then
    status=0
    wait "$server" || status=$?
fi
exit "$status"
