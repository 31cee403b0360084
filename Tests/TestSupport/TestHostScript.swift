/// What makes a test host out of a new mount namespace: the program of its first process.
struct TestHostScript {
    let users: [TestHost.User]
    let hostKeys: [TestHost.KeyType]
    let settings: [String]
    let setUp: String
    let port: Int

    /// The first process stays a shell, which collects what its children leave, and ends with its input: the host lives no longer
    /// than the test program.
    var text: String {
        """
        set -e
        export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        \(Self.overlays)
        \(Self.services)
        \(hostKeys.map(hostKey).joined(separator: "\n"))
        cat > /etc/ssh/sshd_config <<'END_OF_SETTINGS'
        \(configuration)
        END_OF_SETTINGS
        \(users.map(account).joined(separator: "\n"))
        \(setUp)
        /usr/sbin/sshd -t
        /usr/sbin/sshd -D -e &
        for try in $(seq 600); do
            if timeout 20 bash -c 'read -r -n 7 line < /dev/tcp/127.0.0.1/\(port) && [ "$line" = SSH-2.0 ]' 2>/dev/null; then break; fi
            if ! kill -0 $! 2>/dev/null; then echo "the port is in use"; exit 1; fi
            sleep 0.05
        done
        \(fingerprints)
        echo "the host is up"
        cat > /dev/null
        """
    }

    /// Upper layers and new `/run` and `/tmp` are in memory and go with the namespace.
    private static let overlays = """
        mount -t tmpfs -o mode=755 tmpfs /run
        mount -t tmpfs -o mode=1777 tmpfs /tmp
        mkdir -p /run/sshd /run/lock /run/overlays
        for place in /etc /home /root /var/mail /var/log /var/lib/sudo /var/spool; do
            [ -d "$place" ] || continue
            name=$(echo "$place" | tr / _)
            mkdir "/run/overlays/$name-upper" "/run/overlays/$name-work"
            mount -t overlay overlay \\
                -o "lowerdir=$place,upperdir=/run/overlays/$name-upper,workdir=/run/overlays/$name-work" "$place"
        done
        """

    /// Wrong passwords are answered at once, and a session does not need what a container may not do.
    private static let services = """
        sed -i 's/pam_unix\\.so/pam_unix.so nodelay/' /etc/pam.d/common-auth
        sed -i 's/^session.*pam_loginuid.*//' /etc/pam.d/*
        rm -f /etc/nologin /etc/ssh/ssh_host_* /etc/ssh/sshd_config.d/*
        """

    private func hostKey(_ type: TestHost.KeyType) -> String {
        let bits = type == .rsa ? "-b 2048" : ""
        return "ssh-keygen -q -t \(type.rawValue) \(bits) -N '' -C '' -f /etc/ssh/host_\(type.rawValue)"
    }

    private var fingerprints: String {
        let order: [TestHost.KeyType] = [.ed25519, .ecdsa, .rsa]
        return order.filter(hostKeys.contains).map { type in
            "echo \"hostkey $(ssh-keygen -lf /etc/ssh/host_\(type.rawValue).pub | cut -d' ' -f2)\""
        }.joined(separator: "\n")
    }

    /// Like Debian's own, apart from root's login and the number of connections. The first mention of a setting counts, but not
    /// within a `Match`: a setting that begins with it comes last.
    private var configuration: String {
        let own = [
            "Port \(port)", "ListenAddress 127.0.0.1", "PermitRootLogin yes", "KbdInteractiveAuthentication no", "UsePAM yes",
            "PrintMotd no", "UseDNS no", "MaxStartups 300", "PidFile /run/sshd.pid", "Subsystem sftp internal-sftp",
        ]
        let keys = hostKeys.map { "HostKey /etc/ssh/host_\($0.rawValue)" }
        let blocks = settings.firstIndex { $0.hasPrefix("Match") } ?? settings.endIndex
        return (settings[..<blocks] + own + keys + settings[blocks...]).joined(separator: "\n")
    }

    private func account(_ user: TestHost.User) -> String {
        let name = Self.quoted(user.name)
        var lines: [String] = []
        if user.name != "root" {
            let arguments = user.arguments.map(Self.quoted).joined(separator: " ")
            lines.append("useradd --create-home --shell /bin/bash \(arguments) -- \(name)")
        }
        if let password = user.password {
            lines.append("printf '%s:%s\\n' \(name) \(Self.quoted(password)) | chpasswd")
        }
        if !user.keys.isEmpty {
            lines.append("home=$(getent passwd \(name) | cut -d: -f6)")
            lines.append("install -d -m 700 -o \(name) -g \"$(id -g \(name))\" \"$home/.ssh\"")
            lines.append("printf '%s\\n' \(user.keys.map(Self.quoted).joined(separator: " ")) > \"$home/.ssh/authorized_keys\"")
            lines.append("chown \(name): \"$home/.ssh/authorized_keys\"; chmod 600 \"$home/.ssh/authorized_keys\"")
        }
        switch user.sudo {
        case .none: break
        case .withPassword: lines.append("echo \(Self.quoted("\(user.name) ALL=(ALL:ALL) ALL")) >> /etc/sudoers.d/tests")
        case .withoutPassword:
            lines.append("echo \(Self.quoted("\(user.name) ALL=(ALL:ALL) NOPASSWD: ALL")) >> /etc/sudoers.d/tests")
        }
        return lines.joined(separator: "\n")
    }

    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
