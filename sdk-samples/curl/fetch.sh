#!/usr/bin/env bash
# Fetches a secret from Keyturn with bash, openssl and curl:  ./fetch.sh ASSET ACCOUNT [--show]
set -euo pipefail
export LC_ALL=C.UTF-8

# 1. Load credentials from the environment.
[[ ${KEYTURN_URL:-} == https://* ]] || { echo "failed: KEYTURN_URL must begin with https://" >&2 && exit 1; }
: "${KEYTURN_KEY_ID:?is not set}" "${KEYTURN_KEY_SECRET:?is not set}"
organization=${KEYTURN_ORG:-00000000-0000-0000-0000-000000000002}
asset=${1:?usage: fetch.sh ASSET ACCOUNT [--show]} account=${2:?usage: fetch.sh ASSET ACCOUNT [--show]} show=${3:-}
route=/api/v1/accounts/integration-applications/account-secret/

# Percent-encodes a value for a query.
encode() {
    local LC_ALL=C text=$1 i byte
    for ((i = 0; i < ${#text}; i++)); do
        case ${text:i:1} in
            [A-Za-z0-9._~-]) printf %s "${text:i:1}" ;;
            *) printf -v byte %d "'${text:i:1}" && printf '%%%02X' $((byte & 255)) ;;
        esac
    done
}

# HMAC-SHA-256 (RFC 2104) of standard input, in Base64. Step by step, because `openssl dgst -hmac` takes the key as an argument,
# which every user of the machine can see.
hmac() {
    local LC_ALL=C i byte inner= outer=
    ((${#KEYTURN_KEY_SECRET} <= 64)) || { echo "the key is too long for this sample" >&2 && return 1; }
    for ((i = 0; i < 64; i++)); do
        byte=0
        ((i < ${#KEYTURN_KEY_SECRET})) && printf -v byte %d "'${KEYTURN_KEY_SECRET:i:1}"
        printf -v inner '%s\\x%02x' "$inner" $(((byte & 255) ^ 0x36))
        printf -v outer '%s\\x%02x' "$outer" $(((byte & 255) ^ 0x5c))
    done
    { printf %b "$inner" && cat; } | openssl dgst -sha256 -binary |
        { printf %b "$outer" && cat; } | openssl dgst -sha256 -binary | openssl base64 -A
}

# 2. and 3. Sign the request exactly as it is sent, and send it. Sets `status` and `body`.
request() {
    local target date signature answer place host
    place=${KEYTURN_URL#https://} && place=${place%/} && host=${place%%/*}
    target="${place#"$host"}$route?asset=$(encode "$1")&account=$(encode "$2")"
    date=$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S GMT')
    signature=$(printf '(request-target): get %s\naccept: application/json\ndate: %s\nx-jms-org: %s' \
        "$target" "$date" "$organization" | hmac)
    # On standard input, so that the signature is in no argument list either.
    answer=$(curl --silent --show-error --max-time 10 --write-out '\n%{http_code}' --config - <<CONFIG
url = "https://$host$target"
${KEYTURN_CA:+cacert = "$KEYTURN_CA"}
header = "Accept: application/json"
header = "Date: $date"
header = "X-JMS-ORG: $organization"
header = "X-Source: jms-pam"
header = "Authorization: Signature keyId=\"$KEYTURN_KEY_ID\",algorithm=\"hmac-sha256\",headers=\"(request-target) accept date x-jms-org\",signature=\"$signature\""
CONFIG
    ) || { echo "failed: no answer" >&2 && exit 1; }
    status=${answer##*$'\n'} body=${answer%$'\n'*}
}

# The value of a field of the flat JSON object in `body`.
text_field() { sed -nE 's/.*"'"$1"'": ?"(([^"\\]|\\.)*)".*/\1/p' <<<"$body"; }
error_code() { local code && code=$(text_field code) && echo "${code:-none}"; }
number_field() { sed -nE 's/.*"'"$1"'": ?([0-9]+).*/\1/p' <<<"$body"; }

fetch() {
    request "$asset" "$account"
    [[ $status == 200 ]] || { echo "failed: status $status, code $(error_code)" >&2 && exit 1; }
    local secret
    # Of the escapes of JSON, bash knows all that the server uses but the one of the quotation mark.
    printf -v secret %b "$(text_field secret | sed -E 's#\\(["/])|(\\[^"/])#\1\2#g')"
    version=$(number_field version)
    echo "fetched: version $version, ${#secret} characters, sha256 $(printf %s "$secret" | openssl dgst -sha256 -r | cut -c1-8)"
    if [[ $show == --show ]]; then printf '%s\n' "$secret"; fi
}

fetch
first=$version

# 4. A refusal is an answer like any other.
request "$asset" "no-such-account"
echo "refused: status $status, code $(error_code)"

# 5. Nothing is cached: the next fetch sees the new secret.
echo "change the secret now, then press Enter"
read -r _ || true
fetch
if [[ $version == "$first" ]]; then echo "changed: no"; else echo "changed: yes"; fi
