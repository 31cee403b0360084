internal import Cryptography
internal import Glibc
internal import HTTPServer
internal import Sealing
internal import Storage

extension Doctor {
    /// Whether the key file is there, private, apart from the data, and the right one.
    func keyFile() -> [Finding] {
        let (subject, directory) = ("key file", configuration.keys)
        if Self.isInside(directory, data) {
            return [
                .wrong(
                    subject, "\(directory) lies inside the data directory: whoever copies that has the key",
                    remedy: "move the key directory out, and name it with key_directory or --keys")
            ]
        }
        do {
            try withVault { database in
                try Keyring(database: database).unseal(with: KeyFileUnsealer(directory: directory), checking: nil)
            }
            return [.fine(subject, "the one in \(directory) opens the vault")]
        } catch SealingFault.keyFile(let what, let remedy) {
            return [.wrong(subject, what, remedy: remedy)]
        } catch SealingFault.wrongUnsealKey {
            return [
                .wrong(
                    subject, "the one in \(directory) is not this vault's",
                    remedy: "put the vault's own key file there, or unseal with the recovery code")
            ]
        } catch {
            return [.wrong(subject, "cannot be tried: \(error)", remedy: "repair the database first")]
        }
    }

    /// Whether there is a recovery code, and whether its copy was taken off the machine.
    func recovery() -> [Finding] {
        let subject = "recovery code"
        guard let slots = try? withVault({ database in try database.readSync { db in try KeySlots.all(on: db) } }) else {
            return [.wrong(subject, "the key slots cannot be read", remedy: "repair the database first")]
        }
        guard slots.contains(where: { $0.kind == RecoveryCodeUnsealer.kind }) else {
            return [
                .wrong(
                    subject, "there is none: with the key file lost, everything is lost", remedy: "make a copy of the key file")
            ]
        }
        guard access(layout.recovery, F_OK) == 0 else { return [.fine(subject, "there is a slot for it")] }
        return [
            .warning(
                subject, "it still lies in \(layout.recovery)",
                remedy: "write it down or print it, keep it off this machine, then: shred -u \(layout.recovery)")
        ]
    }

    /// Whether the certificate can be used, and for how long.
    func certificate() -> [Finding] {
        let (subject, files) = ("certificate", configuration.tlsFiles)
        let remedy = "replace \(files.certificate) and \(files.key), then: keyturnd reload"
        do {
            var keyText = try PrivateFile.read(files.key, limit: 1 << 20)
            let key = Secret(moving: &keyText)
            let found = try CertificateFile(certificate: PrivateFile.read(files.certificate, limit: 1 << 20), key: key)
            guard found.matchesKey else {
                return [.wrong(subject, "\(files.key) is not the key of \(files.certificate)", remedy: remedy)]
            }
            if found.secondsLeft <= 0 { return [.wrong(subject, "\(files.certificate) has expired", remedy: remedy)] }
            if found.secondsSinceStart < 0 {
                return [.wrong(subject, "\(files.certificate) is not valid yet", remedy: "set the clock, or " + remedy)]
            }
            var findings = [Finding]()
            let days = found.secondsLeft / 86_400
            findings.append(
                days < 21
                    ? .warning(subject, "\(files.certificate) expires in \(days) days", remedy: remedy)
                    : .fine(subject, "\(files.certificate) is good for \(days) days"))
            if Self.isOpenToOthers(files.key) {
                findings.append(
                    .wrong("certificate key", "\(files.key) can be read by other users", remedy: "chmod 600 \(files.key)"))
            }
            return findings
        } catch {
            return [.wrong(subject, "\(files.certificate) or its key cannot be read: \(error)", remedy: remedy)]
        }
    }

    // MARK: - Paths

    /// Whether a path lies in a directory when all links are followed.
    static func isInside(_ path: String, _ directory: String) -> Bool {
        guard let inner = resolved(path), let outer = resolved(directory) else { return false }
        return inner == outer || inner.hasPrefix(outer + "/")
    }

    private static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    private static func isOpenToOthers(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o077 != 0
    }
}
