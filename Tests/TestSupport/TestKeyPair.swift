/// An SSH key pair that `ssh-keygen` makes for this run of the tests.
package struct TestKeyPair: Sendable {
    /// In OpenSSH's form unless another was asked for, without passphrase unless one was given.
    package let privateKey: [UInt8]
    /// The line for `authorized_keys`.
    package let publicKey: String

    package enum Form: String, Sendable { case openSSH = "RFC4716", pem = "PEM", pkcs8 = "PKCS8" }

    /// - Parameter bits: of RSA and ECDSA; nil for the tool's own.
    package static func make(
        _ type: TestHost.KeyType, bits: Int? = nil, form: Form = .openSSH, passphrase: String = ""
    ) throws -> TestKeyPair {
        let directory = try TemporaryDirectory("key")
        let file = directory.file("key")
        var arguments = ["-q", "-t", type.rawValue, "-N", passphrase, "-C", "keyturn-tests", "-f", file]
        if let bits { arguments += ["-b", "\(bits)"] }
        if form != .openSSH { arguments += ["-m", form.rawValue] }
        let made = try ExternalProgram.run("ssh-keygen", arguments)
        guard made.status == 0 else { throw ProgramFault.unexpected("ssh-keygen", output: made.standardError) }
        let publicKey = String(decoding: try directory.read("key.pub"), as: UTF8.self)
        return TestKeyPair(
            privateKey: try directory.read("key"), publicKey: publicKey.split(separator: "\n").first.map(String.init) ?? "")
    }
}
