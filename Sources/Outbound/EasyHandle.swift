internal import CCurl
internal import CCurlShim

/// A libcurl easy handle with the options that every protocol shares. Confined to the thread that made it.
final class EasyHandle {
    /// Nil if the library could not start; every use of the handle then fails.
    private let handle: UnsafeMutableRawPointer?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    init() {
        handle = Library.isStarted ? curl_easy_init() : nil
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        if let handle { curl_easy_cleanup(handle) }
        errorText.deallocate()
    }

    /// Forgets all options of the last transfer; open connections are kept.
    func reset() throws(OutboundFault) {
        guard let handle else { throw .unavailable("libcurl does not start") }
        curl_easy_reset(handle)
        errorText.pointee = 0
        try set(CURLOPT_ERRORBUFFER, pointer: errorText)
        // Signals belong to the program, not to a library on one of its threads.
        try set(CURLOPT_NOSIGNAL, 1)
        try check(curl_shim_close_sockets_on_exec(handle))
    }

    /// One TLS policy for everything that goes out: 1.2 or newer, chain and name verified, only the authorities that were named.
    func setTransportSecurity(certificateAuthority: String?) throws(OutboundFault) {
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        guard let certificateAuthority else { return }
        try set(CURLOPT_CAINFO, certificateAuthority)
        try set(CURLOPT_CAPATH, pointer: nil)
    }

    func set(_ option: CURLoption, _ value: Int) throws(OutboundFault) {
        try check(curl_shim_set_long(handle, option.rawValue, value))
    }

    func set(_ option: CURLoption, size value: Int) throws(OutboundFault) {
        try check(curl_shim_set_size(handle, option.rawValue, Int64(value)))
    }

    /// The library keeps a copy of the text.
    func set(_ option: CURLoption, _ value: String) throws(OutboundFault) {
        try check(curl_shim_set_text(handle, option.rawValue, value))
    }

    /// The same of a text that must not become a `String`; the library's copy is wiped when it goes.
    func set(_ option: CURLoption, bytes value: UnsafePointer<CChar>) throws(OutboundFault) {
        try check(curl_shim_set_text(handle, option.rawValue, value))
    }

    /// The library keeps the pointer, which must stay valid until the transfer is over.
    func set(_ option: CURLoption, pointer value: UnsafeMutableRawPointer?) throws(OutboundFault) {
        try check(curl_shim_set_pointer(handle, option.rawValue, value))
    }

    func set(_ option: CURLoption, _ duration: Duration) throws(OutboundFault) {
        let parts = duration.components
        let milliseconds = parts.seconds.multipliedReportingOverflow(by: 1000)
        let sum = milliseconds.partialValue.addingReportingOverflow(parts.attoseconds / 1_000_000_000_000_000)
        // Zero would mean no limit.
        let value = milliseconds.overflow || sum.overflow ? Int64(Int32.max) : min(max(sum.partialValue, 1), Int64(Int32.max))
        try set(option, Int(value))
    }

    func setSender(_ sender: @escaping curl_shim_sender, context: UnsafeMutableRawPointer) throws(OutboundFault) {
        try check(curl_shim_set_sender(handle, sender, context))
    }

    func setReceivers(
        body: @escaping curl_shim_receiver, header: @escaping curl_shim_receiver, watcher: @escaping curl_shim_watcher,
        context: UnsafeMutableRawPointer
    ) throws(OutboundFault) {
        try check(curl_shim_set_body_receiver(handle, body, context))
        try check(curl_shim_set_header_receiver(handle, header, context))
        try check(curl_shim_set_watcher(handle, watcher, context))
    }

    /// Runs the transfer to its end on this thread.
    func perform() throws(OutboundFault) {
        try check(Int32(bitPattern: curl_easy_perform(handle).rawValue))
    }

    func responseStatus() throws(OutboundFault) -> Int {
        var status = 0
        try check(curl_shim_get_long(handle, CURLINFO_RESPONSE_CODE.rawValue, &status))
        return status
    }

    private func check(_ code: Int32) throws(OutboundFault) {
        guard code != 0 else { return }
        let code = CURLcode(rawValue: UInt32(bitPattern: code))
        let text = String(cString: errorText)
        throw fault(code, text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
    }

    private func fault(_ code: CURLcode, _ text: String) -> OutboundFault {
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest(text)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameNotResolved(text)
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: .connectionFailed(text)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR: .certificateRejected(text)
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED: .secureConnectionFailed(text)
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_ABORTED_BY_CALLBACK: .cancelled
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_WEIRD_SERVER_REPLY:
            .interrupted(text)
        default: .unavailable(text)
        }
    }
}

/// libcurl's process-wide state, set up before the first handle.
private enum Library {
    static let isStarted = curl_shim_start() == 0
}
