#!/usr/bin/env bash
# Makes a certificate authority for development, and a server certificate signed by it.
#
#   certs/make-development-ca.sh [NAME-OR-ADDRESS …]
#
# The server certificate is valid for localhost, 127.0.0.1, ::1 and whatever is named. Files go to certs/development/,
# which git ignores; an authority that is already there is used again, so that clients that trust it go on doing so.
# `keyturnd init` makes certificates of its own: this script is for those who want other names in theirs.
set -euo pipefail
umask 077
directory=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/development
mkdir -p "$directory"
cd "$directory"

if [ ! -e ca.key ]; then
    openssl ecparam -name prime256v1 -genkey -noout -out ca.key
    openssl req -x509 -new -sha256 -key ca.key -days 825 -out ca.pem -subj "/CN=Keyturn development CA" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign"
fi

names="DNS:localhost,IP:127.0.0.1,IP:::1"
for name in "$@"; do
    case $name in
    *[!0-9A-Za-z.:_*-]*) echo "not a name or an address: $name" >&2; exit 2 ;;
    *:*) names+=",IP:$name" ;;
    *[!0-9.]*) names+=",DNS:$name" ;;
    *) names+=",IP:$name" ;;
    esac
done

openssl ecparam -name prime256v1 -genkey -noout -out server.key
openssl req -new -sha256 -key server.key -subj "/CN=${1:-localhost}" -out server.csr
openssl x509 -req -sha256 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -out server.pem \
    -extfile <(printf '%s\n' "subjectAltName=$names" "basicConstraints=critical,CA:FALSE" \
        "keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth") 2>/dev/null
rm server.csr
openssl verify -CAfile ca.pem server.pem >/dev/null
chmod 0644 ca.pem server.pem

cat <<TEXT
certificate  $directory/server.pem  (90 days; $names)
key          $directory/server.key
CA           $directory/ca.pem      (give this one to clients, as KEYTURN_CA or curl --cacert)
TEXT
