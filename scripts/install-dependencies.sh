#!/usr/bin/env bash
# Installs what is missing on a Debian-like machine, and nothing else.
#
#   scripts/install-dependencies.sh [run|test|bench]
#
# run    what the server and the command line need to be built and started
# test   run, and the toolchains of the samples and the tools of the tests
# bench  run, and what the measurements need
#
# Swift itself is not installed: bring 6.3 or newer on PATH, or name it with SWIFT=/path/to/swift.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

purpose=${1:-run}
missing=()

# A library counts as present when pkg-config finds it, whoever installed it.
library() {
    local module=$1 package=$2
    if ! { command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$module"; } && ! installed "$package"; then
        missing+=("$package")
    fi
}

# A program counts as present when it runs, whoever installed it: a version manager's node is as good as apt's.
program() {
    local command=$1 package=$2
    command -v "$command" >/dev/null 2>&1 || missing+=("$package")
}

package() { installed "$1" || missing+=("$1"); }

installed() {
    command -v dpkg-query >/dev/null 2>&1 &&
        dpkg-query --show --showformat='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

for_run() {
    program pkg-config pkg-config
    program git git
    program curl curl
    program ld binutils
    # The C library and the C++ runtime against which Swift links.
    [ -e /usr/include/stdio.h ] || package libc6-dev
    command -v gcc >/dev/null 2>&1 || package gcc
    compgen -G '/usr/include/c++/*/vector' >/dev/null || package libstdc++-12-dev
    library libmicrohttpd libmicrohttpd-dev
    library gnutls libgnutls28-dev
    library libcrypto libssl-dev
    library libxcrypt libcrypt-dev
    library sqlite3 libsqlite3-dev
    library libcurl libcurl4-openssl-dev
    library libssh2 libssh2-1-dev
    library zlib zlib1g-dev
    library libpq libpq-dev
    # Logins with RSA keys, and hosts that have no other key: docs/decisions/0007-rsa-over-ssh.md.
    program ssh openssh-client
    [ -e /etc/ssl/certs/ca-certificates.crt ] || package ca-certificates
}

for_test() {
    for_run
    program openssl openssl
    program python3 python3
    program go golang-go
    program javac openjdk-17-jdk-headless
    program node nodejs
    program sqlite3 sqlite3
    program strace strace
    program ps procps
    program ss iproute2
    program mount mount
    # The mail server of the tests; by Debian's interpreter, whichever python3 comes first.
    package python3-aiosmtpd
    program setpriv util-linux
    program psql postgresql-client
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || package postgresql
    [ -x /usr/sbin/sshd ] || package openssh-server
    program sudo sudo
    program unshare util-linux
    [ -x /usr/sbin/mariadbd ] || program mariadbd mariadb-server
    program redis-server redis-server
}

for_bench() {
    for_run
    program openssl openssl
    program python3 python3
    program cc gcc
    program wrk wrk
    program nginx nginx-light
    program ps procps
    program mount mount
    program unshare util-linux
    program setpriv util-linux
    [ -x /usr/sbin/sshd ] || package openssh-server
    program psql postgresql-client
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || package postgresql
}

install_missing() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5)
    if ! command -v apt-get >/dev/null 2>&1; then
        fail "these are missing, and there is no apt-get to install them with: ${missing[*]}" \
            "Install them with your system's package manager and start again."
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            fail "these are missing: ${missing[*]}" "Run as root: apt-get install --no-install-recommends ${missing[*]}"
        # Without a terminal nobody can type a password: fail at once instead of waiting for one.
        if [ -t 0 ]; then apt=(sudo "${apt[@]}"); else apt=(sudo -n "${apt[@]}"); fi
    fi
    say "installing: ${missing[*]}"
    # The tests start servers of their own: those of the packages are not to run on this machine because of us.
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        local root=()
        [ "$(id -u)" -eq 0 ] || root=(sudo -n)
        if "${root[@]}" sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$policy"; then
            # Expanded now, since these are local.
            # shellcheck disable=SC2064
            trap "${root[*]} rm -f $policy" EXIT
        fi
    fi
    "${apt[@]}" update -q </dev/null || say "apt-get update did not succeed everywhere; going on with the lists that are there"
    "${apt[@]}" install -y -q --no-install-recommends "${missing[@]}" </dev/null ||
        fail "apt-get could not install: ${missing[*]}" "Run as root: apt-get install --no-install-recommends ${missing[*]}"
}

case $purpose in
run) for_run ;;
test) for_test ;;
bench) for_bench ;;
*) fail "unknown purpose '$purpose'" "Use run, test or bench." ;;
esac

# A purpose may name a package twice.
if [ "${#missing[@]}" -gt 0 ]; then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    install_missing
fi
require_swift
