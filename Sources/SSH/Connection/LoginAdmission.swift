/// Who counts logins: asked right before each is made, from the thread that makes it, and told how it ended.
package protocol LoginAdmission: Sendable {
    /// Throws where none may be made now. What it has to remember is durable when it returns.
    func begin() throws(SSHFault)

    /// - Parameters:
    ///   - fault: nil where the host let us in.
    ///   - hasOfferedSecret: whether the secret was sent, or a key named; if not, a connection that was cut was no login.
    func end(_ fault: SSHFault?, hasOfferedSecret: Bool)
}
