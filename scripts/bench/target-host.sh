#!/usr/bin/env bash
# A Linux host for measurements: sshd with a thousand users, in the mount and process namespace that it is started in, as
# the first process there. The machine gets no users: /etc, /home, /root and /var/log are overlays in memory.
#
#   target-host.sh PORT USERS "ROOT'S PUBLIC KEY"
#
# Says "up SHA256:…" once sshd answers, with its only host key before; sshd's own log goes to the error output. Ends with its input.
set -euo pipefail
port=$1 users=$2 key=$3
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd /run/lock /run/overlays
for place in /etc /home /var/log /var/mail; do
    [ -d "$place" ] || continue
    name=$(echo "$place" | tr / _)
    mkdir "/run/overlays/$name-upper" "/run/overlays/$name-work"
    mount -t overlay overlay -o "lowerdir=$place,upperdir=/run/overlays/$name-upper,workdir=/run/overlays/$name-work" "$place"
done

# A session does not need what a container may not do.
sed -i 's/^session.*pam_loginuid.*//' /etc/pam.d/*
rm -f /etc/nologin /etc/ssh/ssh_host_* /etc/ssh/sshd_config.d/*
# What root's shell reads here has nothing to do with what this machine's does.
mount -t tmpfs -o mode=700 tmpfs /root
for name in bashrc profile; do cp "/usr/share/base-files/dot.$name" "/root/.$name"; done
install -d -m 700 /root/.ssh
printf '%s\n' "$key" >/root/.ssh/authorized_keys
chmod 600 /root/.ssh/authorized_keys

# Written in one go: useradd would take minutes. Their password is one that nobody is told.
first=20000
hash=$(openssl passwd -6 "$(openssl rand -hex 16)")
awk -v n="$users" -v u="$first" 'BEGIN { for (i = 1; i <= n; i++) printf "svc%06d:x:%d:%d::/home/svc%06d:/bin/sh\n", i, u + i, u + i, i }' >>/etc/passwd
awk -v n="$users" -v u="$first" 'BEGIN { for (i = 1; i <= n; i++) printf "svc%06d:x:%d:\n", i, u + i }' >>/etc/group
awk -v n="$users" -v h="$hash" 'BEGIN { for (i = 1; i <= n; i++) printf "svc%06d:%s:20000:0:99999:7:::\n", i, h }' >>/etc/shadow
seq -f 'svc%06.0f' "$users" | (cd /home && xargs mkdir -m 755)

ssh-keygen -q -t ed25519 -N '' -C '' -f /etc/ssh/host_ed25519
# Debian's settings, but for root's login and the numbers of connections and logins, which stand for many hosts here.
cat >/etc/ssh/sshd_config <<SETTINGS
Port $port
ListenAddress 127.0.0.1
HostKey /etc/ssh/host_ed25519
PermitRootLogin prohibit-password
KbdInteractiveAuthentication no
UsePAM yes
PrintMotd no
MaxStartups 1000
PidFile /run/sshd.pid
SETTINGS
/usr/sbin/sshd -t
/usr/sbin/sshd -D -e &
for _ in $(seq 600); do
    if timeout 2 bash -c 'read -r -n 7 line < /dev/tcp/127.0.0.1/'"$port"' && [ "$line" = SSH-2.0 ]' 2>/dev/null; then break; fi
    kill -0 $! 2>/dev/null || exit 1
    sleep 0.05
done
cut -d ' ' -f 1,2 /etc/ssh/host_ed25519.pub
echo "up"
cat >/dev/null
