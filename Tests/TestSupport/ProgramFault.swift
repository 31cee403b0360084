import Glibc

/// Why a program of a test could not be started, or did not do what the test waited for.
package enum ProgramFault: Error, CustomStringConvertible {
    case system(String, Int32)
    case notFound(String)
    case timedOut(String, output: String)
    case unexpected(String, output: String)

    package var description: String {
        switch self {
        case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
        case .notFound(let name): "there is no program '\(name)'"
        case .timedOut(let what, let output): "\(what) took too long\n\(output)"
        case .unexpected(let what, let output): "\(what)\n\(output)"
        }
    }
}
