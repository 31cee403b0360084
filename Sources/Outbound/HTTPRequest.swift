/// One HTTP request, complete with its body.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var method: Method
    /// Absolute, percent-encoded already: its path and query are sent as they stand here.
    package var url: String
    package var headers: [Header]
    /// The value of the `Authorization` header where it is a secret itself, such as a bearer token.
    package var authorization: WipedBytes?
    package var body: WipedBytes?

    package init(_ method: Method = .get, _ url: String, headers: [Header] = [], body: WipedBytes? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Refuses what would make another request of it on the wire.
    func validate() throws(OutboundFault) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidRequest("the URL has characters that must be percent-encoded")
        }
        for header in headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(Self.isTokenCharacter) else {
                throw .invalidRequest("a header name has characters that it must not have")
            }
            // RFC 9110, 5.5: no control characters.
            guard header.value.utf8.allSatisfy(Self.isFieldCharacter) else {
                throw .invalidRequest("the header \(header.name) has a line break or another control character")
            }
        }
        guard authorization?.withBytes({ $0.allSatisfy(Self.isFieldCharacter) }) != false else {
            throw .invalidRequest("the authorization has a line break or another control character")
        }
    }

    private static func isFieldCharacter(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F || byte == 0x09
    }

    /// RFC 9110, 5.6.2.
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// The answer to a request, whatever its status.
package struct HTTPResponse: Sendable {
    package let status: Int
    /// In the order received, names in lower case.
    package let headers: [HTTPRequest.Header]
    package let body: WipedBytes

    /// The first value of a header, whose name is given in lower case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}
