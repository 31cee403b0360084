/// Who counts logins: asked right before each is made, from the thread that makes it, and told how it ended.
package protocol LoginAdmission: Sendable {
    /// Throws where none may be made now. What it has to remember is durable when it returns.
    func begin() throws(SSHFault)

    /// - Parameter fault: nil where the host let us in.
    func end(_ fault: SSHFault?)
}
