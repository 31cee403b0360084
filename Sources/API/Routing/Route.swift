package import Domain
package import HTTPServer

/// One operation of the API: how it is reached, what it needs, what it does. A route without a guard does not compile.
package struct Route: Sendable {
    /// What the caller must be.
    package enum Guarding: Sendable, Equatable {
        /// Anybody: logging in.
        case open
        /// A logged-in user with the permission; the act itself goes through the gate.
        case permission(Permission)
        /// An application with a signature.
        case application
    }

    package let method: Method
    package let path: PathTemplate
    package let guarding: Guarding
    package let summary: String
    /// What the body must be; nil for operations without one.
    package let request: Schema?
    /// What comes back; nil for an empty answer.
    package let response: Schema?
    package let style: Style
    package let act: @Sendable (Call) async throws -> Reply

    /// How a successful answer looks, for the description of the API.
    package enum Style: Sendable, Equatable {
        case one(status: Int)
        case list
        case empty
        /// Never one: the operation is only there to say what to use instead (410).
        case gone
    }

    package init(
        _ method: Method, _ path: StaticString, _ guarding: Guarding, _ summary: String, request: Schema? = nil,
        response: Schema? = nil, style: Style = .one(status: 200), act: @escaping @Sendable (Call) async throws -> Reply
    ) {
        self.init(
            method, path, "", guarding, summary, request: request, response: response, style: style, act: act)
    }

    /// - Parameter rest: what comes behind the path of a collection, for operations on the things in it.
    package init(
        _ method: Method, _ path: StaticString, _ rest: StaticString, _ guarding: Guarding, _ summary: String,
        request: Schema? = nil, response: Schema? = nil, style: Style = .one(status: 200),
        act: @escaping @Sendable (Call) async throws -> Reply
    ) {
        self.method = method
        self.path = PathTemplate(path, rest)
        self.guarding = guarding
        self.summary = summary
        self.request = request
        self.response = response
        self.style = style
        self.act = act
    }
}

/// A path with named segments in braces: `/api/v1/accounts/accounts/{id}/`.
package struct PathTemplate: Sendable, Hashable, CustomStringConvertible {
    package enum Segment: Sendable, Hashable {
        case fixed([UInt8])
        case named(String)
    }

    package let description: String
    package let segments: [Segment]

    package init(_ text: StaticString, _ rest: StaticString = "") {
        description = [text, rest].map { $0.withUTF8Buffer { String(decoding: $0, as: UTF8.self) } }.joined()
        segments = description.split(separator: "/", omittingEmptySubsequences: true).map { part in
            part.hasPrefix("{") && part.hasSuffix("}") ? .named(String(part.dropFirst().dropLast())) : .fixed(Array(part.utf8))
        }
    }

    /// The values of the named segments, percent-decoded; nil if the path is another one.
    func match(_ path: [[UInt8]]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (segment, part) in zip(segments, path) {
            switch segment {
            case .fixed(let text):
                guard text == part else { return nil }
            case .named(let name):
                guard let value = PercentCoding.decode(part, plusIsSpace: false) else { return nil }
                values[name] = value
            }
        }
        return values
    }
}
