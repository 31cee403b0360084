internal import Domain
package import HTTPServer
package import JSON

/// What an operation answers, before it becomes a response.
package enum Reply: Sendable {
    case json(status: Int, [UInt8])
    /// Carries plaintext; wiped after sending.
    case sensitive(status: Int, SensitiveBuffer)
    case empty
    /// Something that is not JSON, or JSON with a status that is no success.
    case body(status: Int, contentType: StaticString, [UInt8])
    case stream(contentType: StaticString, ByteStream)

    /// A JSON answer written by hand.
    package static func object(status: Int = 200, _ write: (inout JSONWriter<[UInt8]>) throws -> Void) rethrows -> Reply {
        var writer = JSONWriter()
        writer.beginObject()
        try write(&writer)
        writer.endObject()
        return .json(status: status, writer.bytes)
    }

    var response: Response {
        switch self {
        case .json(let status, let bytes): Response(status: status, body: .bytes(bytes))
        case .sensitive(let status, let buffer): Response(status: status, body: .sensitive(buffer))
        case .empty: .empty(204)
        case .body(let status, let type, let bytes): Response(status: status, contentType: type, body: .bytes(bytes))
        case .stream(let type, let stream): Response(contentType: type, body: .stream(stream))
        }
    }
}
