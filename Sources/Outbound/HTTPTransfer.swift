internal import CCurl
internal import CCurlShim

/// One HTTP exchange on a handle: its options, and what has come back so far. Lives on one thread.
final class HTTPTransfer {
    private let request: HTTPRequest
    private let configuration: HTTPClient.Configuration
    private let cancellation: Cancellation
    private let body = WipedBuffer()
    private var headers: [HTTPRequest.Header] = []
    private var headerSize = 0
    /// Set where a callback ended the transfer, since the library then only says that one did.
    private var fault: OutboundFault?

    private static let headerLimit = 64 << 10

    init(_ request: HTTPRequest, _ configuration: HTTPClient.Configuration, _ cancellation: Cancellation) {
        self.request = request
        self.configuration = configuration
        self.cancellation = cancellation
    }

    func perform(on handle: EasyHandle) -> Result<HTTPResponse, OutboundFault> {
        guard !cancellation.isRequested else { return .failure(.cancelled) }
        do throws(OutboundFault) {
            try handle.reset()
            try setConnection(on: handle)
            try setRequestLine(on: handle)
            let list = try headerList()
            defer { curl_slist_free_all(list) }
            try handle.set(CURLOPT_HTTPHEADER, pointer: UnsafeMutableRawPointer(list))
            try handle.setReceivers(
                body: receiveBody, header: receiveHeader, watcher: watchTransfer,
                context: Unmanaged.passUnretained(self).toOpaque())
            try withExtendedLifetime(self) { () throws(OutboundFault) in try sendBody(on: handle) }
            return .success(HTTPResponse(status: try handle.responseStatus(), headers: headers, body: body.take()))
        } catch {
            return .failure(fault ?? error)
        }
    }

    private func setConnection(on handle: EasyHandle) throws(OutboundFault) {
        try handle.set(CURLOPT_PROTOCOLS_STR, configuration.allowsPlainHTTP ? "https,http" : "https")
        try handle.setTransportSecurity(certificateAuthority: configuration.certificateAuthority)
        try handle.set(CURLOPT_CONNECTTIMEOUT_MS, configuration.connectDeadline)
        try handle.set(CURLOPT_TIMEOUT_MS, configuration.deadline)
        try handle.set(CURLOPT_FOLLOWLOCATION, 0)
        try handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // An empty name switches the variables of the environment off.
        if !configuration.usesProxyOfEnvironment { try handle.set(CURLOPT_PROXY, "") }
        if let address = configuration.localAddress { try handle.set(CURLOPT_INTERFACE, "host!" + address) }
    }

    private func setRequestLine(on handle: EasyHandle) throws(OutboundFault) {
        try handle.set(CURLOPT_URL, request.url)
        // A signature covers the path as it was given, dots and all.
        try handle.set(CURLOPT_PATH_AS_IS, 1)
        if request.method == .head {
            try handle.set(CURLOPT_NOBODY, 1)
        } else {
            try handle.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
    }

    private func headerList() throws(OutboundFault) -> UnsafeMutablePointer<curl_slist>? {
        // Bodies are short, so there is no point in asking first.
        var lines = ["Expect:"]
        for header in request.headers {
            // This is how the library is told to send a header without a value.
            lines.append(header.value.isEmpty ? header.name + ";" : header.name + ": " + header.value)
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines { try append(line, to: &list) }
        if let authorization = request.authorization {
            let line = WipedBuffer()
            Array("Authorization: ".utf8).withUnsafeBytes { line.append($0) }
            authorization.withBytes { line.append($0) }
            line.append(0)
            try line.take().withBytes { (bytes) throws(OutboundFault) in
                guard let start = bytes.baseAddress else { return }
                try append(start.assumingMemoryBound(to: CChar.self), to: &list)
            }
        }
        return list
    }

    private func append(
        _ line: UnsafePointer<CChar>, to list: inout UnsafeMutablePointer<curl_slist>?
    ) throws(OutboundFault) {
        guard let longer = curl_slist_append(list, line) else {
            curl_slist_free_all(list)
            throw .unavailable("out of memory")
        }
        list = longer
    }

    private func sendBody(on handle: EasyHandle) throws(OutboundFault) {
        guard let body = request.body else { return try handle.perform() }
        // The library reads the bytes in place while it performs, and does not write to them.
        try body.withBytes { (bytes) throws(OutboundFault) in
            try handle.set(CURLOPT_POSTFIELDSIZE_LARGE, size: bytes.count)
            var nothing: UInt8 = 0
            try withUnsafeMutablePointer(to: &nothing) { (empty) throws(OutboundFault) in
                let start = bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
                try handle.set(CURLOPT_POSTFIELDS, pointer: start ?? UnsafeMutableRawPointer(empty))
                try handle.perform()
            }
        }
    }

    // MARK: - What the callbacks bring

    fileprivate func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= configuration.responseLimit - body.count else {
            fault = .responseTooLarge(limit: configuration.responseLimit)
            return false
        }
        body.append(bytes)
        return true
    }

    fileprivate func receive(headerLine bytes: UnsafeRawBufferPointer) -> Bool {
        headerSize += bytes.count
        guard headerSize <= Self.headerLimit else {
            fault = .responseTooLarge(limit: Self.headerLimit)
            return false
        }
        if bytes.starts(with: Array("HTTP/".utf8)) {
            // A further head after an interim answer such as 100.
            headers = []
        } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
            headers.append(HTTPRequest.Header(text(bytes[..<colon]).lowercased(), text(bytes[(colon + 1)...])))
        }
        return true
    }

    private func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        let isSpace = { (byte: UInt8) in byte <= 0x20 }
        let trimmed = bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return String(decoding: Array(trimmed), as: UTF8.self)
    }

    fileprivate var isCancelled: Bool { cancellation.isRequested }
}

// MARK: - Callbacks of the library, on the thread of the transfer

private func transfer(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer? {
    context.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func receiveBody(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?)
    -> Int
{
    // `size` is always 1 (manual of CURLOPT_WRITEFUNCTION).
    transfer(context)?.receive(body: UnsafeRawBufferPointer(start: bytes, count: count)) == true ? count : -1
}

private func receiveHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?)
    -> Int
{
    transfer(context)?.receive(headerLine: UnsafeRawBufferPointer(start: bytes, count: count)) == true ? count : -1
}

private func watchTransfer(_ context: UnsafeMutableRawPointer?, _: Int64, _: Int64, _: Int64, _: Int64) -> Int32 {
    transfer(context)?.isCancelled == true ? 1 : 0
}
