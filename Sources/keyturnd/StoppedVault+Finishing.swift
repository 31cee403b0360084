internal import Server

extension StoppedVault {
    /// Does something with the vault and closes it, whatever came of that.
    func finishing<Value>(_ body: (StoppedVault) async throws -> Value) async throws -> Value {
        do {
            let value = try await body(self)
            await close()
            return value
        } catch {
            await close()
            throw error
        }
    }
}
