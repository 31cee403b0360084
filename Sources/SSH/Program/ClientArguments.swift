/// How an `ssh` program is told to behave: nothing from files, nothing to files, nothing that the host may use of us.
struct ClientArguments {
    let username: String
    let hostKeys: [HostKeyType]
    /// `publickey`, `password` or `keyboard-interactive`.
    let method: String
    /// Sockets.
    let control: String
    let agent: String?

    /// Its locale decides about the words by which faults are told apart.
    static let environment = ["LC_ALL=C", "PATH=/usr/bin:/bin"]

    /// There is nothing secret here: everybody on this machine can read it.
    var list: [String] {
        let settings = [
            "ControlMaster=yes", "ControlPath=\(control)", "ControlPersist=no",
            // The connection is there already: it is standard input and output.
            "ProxyCommand=-",
            // The host key is asked for on the terminal, where this process compares it.
            "StrictHostKeyChecking=ask", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null", "CheckHostIP=no",
            "UpdateHostKeys=no", "VerifyHostKeyDNS=no", "KnownHostsCommand=none",
            "HostKeyAlgorithms=" + hostKeys.map(\.algorithms).joined(separator: ","),
            "Ciphers=aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr",
            "MACs=hmac-sha2-256,hmac-sha2-512",
            "KexAlgorithms=curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
                + "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256",
            "PreferredAuthentications=\(method)", "NumberOfPasswordPrompts=1", "IdentityFile=none",
            "IdentityAgent=\(agent ?? "none")", "AddKeysToAgent=no", "GSSAPIAuthentication=no", "HostbasedAuthentication=no",
            "PubkeyAcceptedAlgorithms=rsa-sha2-512,rsa-sha2-256," + HostKeyType.ed25519.algorithms + ","
                + HostKeyType.ecdsa.algorithms,
            "ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no", "EscapeChar=none", "Compression=no", "LogLevel=VERBOSE",
            "CanonicalizeHostname=no",
        ]
        return ["-F", "none", "-N", "-T"] + settings.flatMap { ["-o", $0] } + ["-l", username, "--", "target"]
    }
}
