/// One answer: status, a few headers, a body.
package struct Response: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Carries a secret; wiped after sending, and `Cache-Control: no-store` goes with it.
        case sensitive(SensitiveBuffer)
        /// The same bytes for many answers, not copied.
        case shared(SharedBytes)
        /// Made while it is sent.
        case stream(ByteStream)
    }

    package struct Header: Sendable {
        package let name: StaticString
        package let value: String

        package init(_ name: StaticString, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// 200 ... 599; anything else is sent as 500.
    package var status: Int
    package var contentType: StaticString?
    package var headers: [Header]
    package var body: Body
    /// Whether the connection ends with this answer.
    package var closes = false

    package init(
        status: Int = 200, contentType: StaticString? = "application/json", headers: [Header] = [], body: Body = .none
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// An answer without a body and without a content type.
    package static func empty(_ status: Int) -> Response {
        Response(status: status, contentType: nil)
    }

    /// The error body that every refusal has: `{"detail","code","request_id"}`. Both texts go into JSON as they are.
    package static func problem(
        _ status: Int, code: StaticString, detail: StaticString, id: RequestID, headers: [Header] = []
    ) -> Response {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        bytes.append(contentsOf: #"{"detail":""#.utf8)
        detail.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: #"","code":""#.utf8)
        code.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: #"","request_id":""#.utf8)
        id.appendHex(to: &bytes)
        bytes.append(contentsOf: #""}"#.utf8)
        return Response(status: status, headers: headers, body: .bytes(bytes))
    }
}

/// Bytes that many answers share without copying; they live until the last answer is gone.
package final class SharedBytes: Sendable {
    private let storage: [UInt8]

    package init(_ bytes: [UInt8]) {
        storage = bytes
    }

    package convenience init(_ text: StaticString) {
        self.init(text.withUTF8Buffer { Array($0) })
    }

    package var count: Int { storage.count }

    func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        storage.withUnsafeBytes(body)
    }
}
