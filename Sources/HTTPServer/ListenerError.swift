/// Why a listener cannot be made, started or given a new certificate.
package enum ListenerError: Error, CustomStringConvertible {
    case badAddress(String)
    case system(operation: String, code: Int32)
    case certificate(file: String, reason: String)
    case daemon

    package var description: String {
        switch self {
        case .badAddress(let host): "'\(host)' is not an IPv4 or IPv6 address"
        case .system(let operation, let code): "\(operation) failed: \(systemText(code))"
        case .certificate(let file, let reason): "the certificate \(file) or its key cannot be used: \(reason)"
        case .daemon: "the HTTP library refused to start; its reason is in the debug log"
        }
    }
}
