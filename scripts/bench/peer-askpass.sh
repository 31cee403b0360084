#!/bin/sh
# SSH_ASKPASS of the peer: the password that stands in its environment.
printf '%s\n' "$PEER_PASSWORD"
