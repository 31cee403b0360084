package import Cryptography
internal import JSON

/// What the operator at the machine can ask of a running server.
package enum ControlCommand: Sendable {
    case status
    case unseal(ControlKey)
    case seal
    /// Copies databases and checkpoints into a new directory.
    case snapshot(directory: String)
    /// Reads the certificate and the log level again.
    case reload
    /// Signs every entry of the audit that is not signed yet.
    case checkpoint
    /// Writes down that the operator reads the audit, which is done without the server.
    case readAudit(AuditUse)
    case resetPassword(username: String, password: SecretHandoff)
    /// Replaces the key-encryption key.
    case rekey(ControlKey)

    /// The name on the wire and in the audit.
    package var name: String {
        switch self {
        case .status: "status"
        case .unseal: "unseal"
        case .seal: "seal"
        case .snapshot: "snapshot"
        case .reload: "reload"
        case .checkpoint: "checkpoint"
        case .readAudit(let use): "audit-" + use.rawValue
        case .resetPassword: "reset-password"
        case .rekey: "rekey"
        }
    }
}

/// What the operator reads the audit for.
package enum AuditUse: String, Sendable {
    case verify, export

    /// The name in the audit.
    package var action: String { "audit." + rawValue }
}

/// With what the vault is to be opened.
package enum ControlKey: Sendable {
    /// The key file of the server's key directory.
    case keyFile
    /// What a person typed.
    case recoveryCode(SecretHandoff)
}

/// Why a request on the control socket cannot be read. Never carries any of it.
package struct ControlFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable short name.
    package let code: String
    package let description: String

    package init(_ code: String, _ description: String) {
        self.code = code
        self.description = description
    }

    static let malformed = ControlFault("malformed", "the request is not one line of JSON that names a command and its fields")
}

// MARK: - Wire form

extension ControlCommand {
    /// A request is one line of at most so many bytes, its line feed included.
    package static let byteLimit = 8 << 10

    /// Reads a request: a JSON object with `command` and its fields. Secrets go from the bytes into a `Secret`.
    init(reading line: UnsafeRawBufferPointer) throws(ControlFault) {
        let body: JSONObjectReader
        do {
            body = try JSONObjectReader(JSONDocument(line, limits: JSONLimits(depth: 2, bytes: Self.byteLimit, values: 16)).root)
        } catch {
            throw .malformed
        }
        do {
            self = try Self.read(body)
        } catch let fault as ControlFault {
            throw fault
        } catch {
            throw .malformed
        }
    }

    private static func read(_ body: JSONObjectReader) throws -> ControlCommand {
        let name = body.required("command", .text(max: 32))
        switch name {
        case "status": return try finish(body, .status)
        case "seal": return try finish(body, .seal)
        case "reload": return try finish(body, .reload)
        case "checkpoint": return try finish(body, .checkpoint)
        case "unseal": return try finish(body, .unseal(key(body)))
        case "rekey": return try finish(body, .rekey(key(body)))
        case "audit-verify": return try finish(body, .readAudit(.verify))
        case "audit-export": return try finish(body, .readAudit(.export))
        case "snapshot":
            let directory = try body.finish(body.required("directory", .text(max: 4000, trim: false)))
            guard directory.hasPrefix("/") else { throw ControlFault.malformed }
            return .snapshot(directory: directory)
        case "reset-password":
            let password = try secret(body, "password")
            return .resetPassword(username: try body.finish(body.required("username", .text(max: 128))), password: password)
        default: throw ControlFault("unknown_command", "there is no such command")
        }
    }

    private static func key(_ body: JSONObjectReader) throws -> ControlKey {
        body.has("recovery_code") ? .recoveryCode(try secret(body, "recovery_code")) : .keyFile
    }

    private static func finish(_ body: JSONObjectReader, _ command: ControlCommand) throws -> ControlCommand {
        _ = try body.finish(Optional(true))
        return command
    }

    private static func secret(_ body: JSONObjectReader, _ name: String) throws -> SecretHandoff {
        guard let value = body.required(name, .secret(max: 4096)) else { throw ControlFault.malformed }
        return SecretHandoff(Secret(capacity: 4096) { value.unescape(into: $0) ?? 0 })
    }

    /// The request as one line. Takes the secrets, so it works once.
    package func line() -> Secret {
        Secret(capacity: Self.byteLimit * 2) { memory in
            var writer = JSONWriter(into: JSONBuffer(memory))
            writer.beginObject()
            writer.field("command", name)
            switch self {
            case .status, .seal, .reload, .checkpoint, .readAudit, .unseal(.keyFile), .rekey(.keyFile): break
            case .unseal(.recoveryCode(let code)), .rekey(.recoveryCode(let code)): Self.write("recovery_code", code, to: &writer)
            case .snapshot(let directory): writer.field("directory", directory)
            case .resetPassword(let username, let password):
                writer.field("username", username)
                Self.write("password", password, to: &writer)
            }
            writer.endObject()
            writer.sink.append(UInt8(ascii: "\n"))
            return writer.sink.isOverflowed ? 0 : writer.sink.count
        }
    }

    private static func write(_ name: String, _ handoff: SecretHandoff, to writer: inout JSONWriter<JSONBuffer>) {
        guard let secret = handoff.take() else { return }
        writer.key(name)
        secret.withBytes { writer.string(utf8: $0) }
    }
}
