package import Domain
package import Storage

/// Takes up what is to be told about an execution that is over, in the transaction that ends it, so that nothing is lost in a crash.
package protocol ExecutionOutbox: Sendable {
    /// - Parameter recipients: email addresses; none where the order had no task, or its task is gone.
    func put(_ result: ExecutionResult, to recipients: [String], on db: any SQLConnection) throws
}

/// How an execution ended. No secrets.
package struct ExecutionResult: Sendable {
    package let execution: Execution
    package let counts: [Record.Status: Int64]
}
