internal import Cryptography
internal import Glibc

extension Doctor {
    /// Whether the files that mail and webhook are set up with are there, private, and of use. Nothing is sent.
    func notifications() -> [Finding] {
        let (email, webhook) = (configuration.notifications.email, configuration.notifications.webhook)
        var findings: [Finding] = []
        if email.server != nil {
            if let file = email.passwordFile { findings.append(secretFile("mail password", file, shortest: 1)) }
            if let file = email.certificateAuthority { findings.append(authorities("mail certificates", file)) }
        }
        if webhook.url != nil {
            if let file = webhook.secretFile {
                findings.append(secretFile("webhook secret", file, shortest: Configuration.Notifications.shortestKey))
            }
            if let file = webhook.certificateAuthority { findings.append(authorities("webhook certificates", file)) }
        }
        return findings
    }

    /// Read as the server reads it, and forgotten.
    private func secretFile(_ subject: String, _ path: String, shortest: Int) -> Finding {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let reason = String(cString: strerror(errno))
            return .wrong(
                subject, "\(path): \(reason)",
                remedy: "write the secret into it (umask 077), or name another file in the configuration")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return .wrong(subject, "\(path) is not a plain file", remedy: "name another file in the configuration")
        }
        guard status.st_mode & 0o077 == 0 else {
            return .wrong(subject, "\(path) can be used by others than its owner", remedy: "chmod 600 \(path)")
        }
        do {
            let count = try PrivateFile.secret(at: path).count
            guard count >= shortest else {
                return .wrong(
                    subject, "\(path) has \(count) bytes; a key has at least \(shortest)",
                    remedy: "write a longer one into it, and give it to the receiver: openssl rand -base64 32")
            }
            return .fine(subject, "\(path) is there and private")
        } catch {
            let isEmpty = status.st_size <= 2
            return .wrong(
                subject, "\(error)",
                remedy: isEmpty ? "write the secret into it" : "chown it to the server's user, or shorten it: \(path)")
        }
    }

    private func authorities(_ subject: String, _ path: String) -> Finding {
        let remedy = "put a PEM file with the certificates to trust there, or leave the setting out to trust the system's"
        guard let bytes = try? PrivateFile.read(path, limit: 1 << 20) else {
            return .wrong(subject, "\(path) cannot be read", remedy: remedy)
        }
        guard String(decoding: bytes, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
            return .wrong(subject, "\(path) holds no certificate", remedy: remedy)
        }
        return .fine(subject, "\(path) can be read")
    }
}
