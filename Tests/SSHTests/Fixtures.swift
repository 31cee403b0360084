import Cryptography
import SSH
import TestSupport

extension SSHLimits {
    /// Of tests that are not about time.
    static let patient = SSHLimits(connecting: .seconds(60), login: .seconds(120), conversation: .seconds(600))
}

extension SSHLogin {
    static func password(
        _ username: String, _ password: String, counting admission: (any LoginAdmission)? = nil
    ) -> SSHLogin {
        var bytes = Array(password.utf8)
        return SSHLogin(username: username, method: .password, secret: Secret(moving: &bytes), admission: admission)
    }

    static func key(_ username: String, _ key: [UInt8]) -> SSHLogin {
        var bytes = key
        return SSHLogin(username: username, method: .privateKey, secret: Secret(moving: &bytes))
    }
}

extension SSHInput {
    static func secretText(_ text: String) -> SSHInput {
        var bytes = Array(text.utf8)
        return .secret(SSHSecret(Secret(moving: &bytes)))
    }
}

extension SSHResult {
    var text: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}

extension TestHost {
    var endpoint: SSHEndpoint { SSHEndpoint(host: "127.0.0.1", port: port, pinned: [hostKey], acceptNew: false) }

    /// Logs in on a thread of its own.
    func open(
        _ login: SSHLogin, via gateway: (endpoint: SSHEndpoint, login: SSHLogin)? = nil, limits: SSHLimits = .patient
    ) async throws -> SSHSession {
        let endpoint = self.endpoint
        return try await onOwnThread { try SSHSession.open(endpoint, as: login, via: gateway, limits: limits) }
    }
}

extension SSHSession {
    func result(_ line: String, input: [SSHInput] = [], limit: Duration = .seconds(120)) async throws -> SSHResult {
        try await onOwnThread { try self.run(SSHCommand(line, input: input, limit: limit)) }
    }
}

/// The fault with which a body ends; a test fails where it ends well.
func fault(_ body: @escaping @Sendable () throws -> Void) async throws -> SSHFault {
    try await onOwnThread {
        do {
            try body()
        } catch let fault as SSHFault {
            return fault
        }
        throw ProgramFault.unexpected("it ended without a fault", output: "")
    }
}
