#!/bin/sh
# What the peer does for one account: the logins that Keyturn makes for a change, with the `ssh` client.
#
#   peer-change.sh USER PASSWORD
#
# PEER_PORT, PEER_KEY and PEER_HOSTS say where; SSH_ASKPASS and SSH_ASKPASS_REQUIRE have ssh take PEER_PASSWORD.
set -eu
# The key exchange that Keyturn's library makes: the client's own first choice, sntrup761, costs it ten times the processor time.
options="-F none -p $PEER_PORT -o KexAlgorithms=curve25519-sha256 -o UserKnownHostsFile=$PEER_HOSTS -o StrictHostKeyChecking=yes -o LogLevel=ERROR"
# As root, what Keyturn asks and does there: who am I, what is the account, can its password be set, set it.
# shellcheck disable=SC2086
printf '%s:%s\n' "$1" "$2" | ssh $options -o BatchMode=yes -o IdentitiesOnly=yes -i "$PEER_KEY" root@127.0.0.1 "
    id; getent passwd -- $1; sed -n 's/^UID_MIN//p' /etc/login.defs
    getent shadow -- $1 | sed 's/:[^:]*:/:set:/'; command -v chpasswd && test -w /etc/shadow && test -w /etc && chpasswd" >/dev/null
# As the account, with the new password. The client ends no session without a command; Keyturn runs none here.
# shellcheck disable=SC2086
PEER_PASSWORD=$2 ssh $options -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 "$1@127.0.0.1" true
