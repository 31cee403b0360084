package import Glibc

/// The system user who runs a command at the machine, for the audit.
package enum OperatorName {
    package static var current: String { name(of: getuid()) }

    /// The user's name, or the number where it has none.
    package static func name(of uid: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            guard let start = buffer.baseAddress, getpwuid_r(uid, &entry, start, buffer.count, &found) == 0, found != nil,
                let name = entry.pw_name
            else { return "uid \(uid)" }
            return String(cString: name)
        }
    }
}
