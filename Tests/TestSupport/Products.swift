import Glibc

/// Where the programs that belong to the tests were built.
package enum Products {
    /// The directory of the test program itself: SwiftPM puts all products of one build side by side.
    package static let directory: String = {
        if let given = getenv("KEYTURN_PRODUCTS") { return String(cString: given) }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
    }()

    package static var keyturnd: String { directory + "/keyturnd" }
    package static var keyturn: String { directory + "/keyturn" }

    /// The root of the package: two folders above this file's.
    package static let root: String = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    /// Whether every user may walk to the programs.
    package static var isReachable: Bool {
        var path = directory
        while path != "/", !path.isEmpty {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & 0o001 != 0 else { return false }
            path = path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        }
        return true
    }
}
