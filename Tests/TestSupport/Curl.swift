import Foundation

/// HTTPS requests with the `curl` program: another implementation than ours, which can also come from another address.
package struct Curl: Sendable {
    package var base: String
    package var certificateAuthority: String?

    package init(base: String, certificateAuthority: String? = nil) {
        self.base = base
        self.certificateAuthority = certificateAuthority
    }

    package struct Answer: Sendable {
        package let status: Int
        /// In order; names in lower case.
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }
        package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    /// One request.
    ///
    /// - Parameters:
    ///   - target: Sent as it is: nothing is normalised or escaped.
    ///   - source: The local address to connect from, for example 127.0.0.2.
    ///   - more: Further options of curl.
    package func request(
        _ method: String = "GET", _ target: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        from source: String? = nil, more: [String] = [], limit: Duration = .seconds(120)
    ) async throws -> Answer {
        var options = ["--silent", "--show-error", "--include", "--path-as-is", "--globoff", "--http1.1", "--noproxy", "*"]
        options += method == "HEAD" ? ["--head"] : ["--request", method]
        if let certificateAuthority { options += ["--cacert", certificateAuthority] }
        if let source { options += ["--interface", source] }
        for (name, value) in headers { options += ["--header", value.isEmpty ? "\(name);" : "\(name): \(value)"] }
        if let body {
            options += ["--data-binary", "@-"]
            // Of a large body it is asked first whether to send it: a refusal would come across it, and the connection ends with that.
            options += body.count > 1 << 20 ? ["--expect100-timeout", "60"] : ["--header", "Expect:"]
        }
        let finished = try await RunningProgram.run("curl", options + more + [base + target], input: body ?? [], limit: limit)
        guard finished.succeeded else {
            throw ProgramFault.unexpected("curl ended with \(finished.ending)", output: finished.standardError)
        }
        return try Self.parse(finished.output)
    }

    /// The last response of what curl printed; those before it are interim (100 Continue).
    private static func parse(_ printed: [UInt8]) throws -> Answer {
        var rest = printed[...]
        while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
            let lines = String(decoding: rest[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            rest = rest[end.upperBound...]
            let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            if (100..<200).contains(status) { continue }
            let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                return (name: line[..<colon].lowercased(), value: value)
            }
            return Answer(status: status, headers: headers, body: Array(rest))
        }
        throw ProgramFault.unexpected("curl printed no response", output: String(decoding: printed, as: UTF8.self))
    }
}
