package import Cryptography

/// A name and a secret to log in with. The secret is lent and never handed out.
package final class SSHLogin: Sendable {
    package enum Method: Sendable {
        case password
        /// A private key without passphrase, in OpenSSH's form or PEM.
        case privateKey
    }

    package let username: String
    package let method: Method
    /// Also what `sudo` of this account asks for.
    package let secret: SSHSecret
    /// Who counts the logins, of a gateway for instance, where nobody else sees each of them; nil: nobody.
    let admission: (any LoginAdmission)?

    package init(
        username: String, method: Method, secret: consuming Secret, admission: (any LoginAdmission)? = nil
    ) {
        self.username = username
        self.method = method
        self.secret = SSHSecret(secret)
        self.admission = admission
    }
}

/// A secret that several steps use one after the other, on several threads; wiped with the last reference.
package final class SSHSecret: Sendable {
    private let secret: Secret

    package init(_ secret: consuming Secret) { self.secret = secret }

    /// Lends the secret for the length of the closure.
    package func withSecret<Output: ~Copyable, Failure: Swift.Error>(
        _ body: (borrowing Secret) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        try body(secret)
    }

    func withBytes<Output: ~Copyable, Failure: Swift.Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        try secret.withBytes(body)
    }

    var count: Int { secret.count }
}
