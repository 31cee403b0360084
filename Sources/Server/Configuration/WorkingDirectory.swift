internal import Glibc

/// Paths as a person types them, relative to where the program was started.
package enum WorkingDirectory {
    /// The path from the root, without `.` and `..`; as it is if the working directory cannot be told.
    package static func absolute(_ path: String) -> String {
        guard !path.isEmpty else { return path }
        var whole = path
        if !path.hasPrefix("/") {
            guard let current = getcwd(nil, 0) else { return path }
            defer { free(current) }
            whole = String(cString: current) + "/" + path
        }
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
