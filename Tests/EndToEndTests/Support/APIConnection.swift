import JSON
import Outbound
import TestSupport

/// A connection to a server of a test that stays open from one request to the next, and what came back over it.
struct APIConnection: Sendable {
    let url: String
    private let http: HTTPClient

    /// - Parameter source: the local address to connect from, such as `127.0.0.2`.
    init(_ server: ServerProcess, from source: String? = nil, deadline: Duration = .seconds(120)) {
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthority = server.firstLogin.caCertificate
        configuration.connections = 1
        configuration.deadline = deadline
        configuration.localAddress = source
        url = server.url
        http = HTTPClient(configuration)
    }

    struct Answer: Sendable {
        let status: Int
        let headers: [HTTPRequest.Header]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue? { try? JSONDocument.parse(body) }
        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        /// A text of the JSON object in the body; `""` where there is none.
        func string(_ name: String) -> String { json?[name]?.string ?? "" }
        func int(_ name: String) -> Int64? { json?[name]?.int }
    }

    func send(
        _ method: HTTPRequest.Method, _ target: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPRequest(method, url + target, headers: headers.map { HTTPRequest.Header($0.0, $0.1) })
        if let body { request.body = WipedBytes(body) }
        let response = try await http.send(request)
        return Answer(
            status: response.status, headers: response.headers, body: response.body.withBytes { Array($0) })
    }
}
