internal import Glibc

/// A directory that only this user may look into, for sockets; removed with what is in it. No file is ever written there.
final class PrivateDirectory: Sendable {
    let path: String

    init() throws(SSHFault) {
        let parent = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? "/tmp"
        // A socket's path has at most 107 characters, and `ssh` adds 17 to its own.
        let place = parent.utf8.count <= 60 && access(parent, W_OK | X_OK) == 0 ? parent : "/tmp"
        var template = Array("\(place)/keyturn-ssh-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw .system("mkdtemp") }
        path = String(cString: made)
    }

    deinit {
        for name in ["agent", "control"] { unlink(file(name)) }
        rmdir(path)
    }

    func file(_ name: String) -> String { path + "/" + name }
}

/// Unix sockets.
enum UnixSocket {
    static func listen(_ path: String) throws(SSHFault) -> Descriptor {
        let descriptor = try make()
        let code = withAddress(path) { bind(descriptor.number, $0, $1) }
        guard code == 0, Glibc.listen(descriptor.number, 4) == 0 else { throw .system("listen") }
        return descriptor
    }

    /// Nil if nobody listens there.
    static func connect(_ path: String) throws(SSHFault) -> Descriptor? {
        let descriptor = try make()
        let code = withAddress(path) { Glibc.connect(descriptor.number, $0, $1) }
        return code == 0 ? descriptor : nil
    }

    private static func make() throws(SSHFault) -> Descriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let number = socket(AF_UNIX, kind, 0)
        guard number >= 0 else { throw .system("socket") }
        return Descriptor(number)
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let isFitting = withUnsafeMutableBytes(of: &address.sun_path) { place in
            guard bytes.count < place.count else { return false }
            place.copyBytes(from: bytes)
            return true
        }
        guard isFitting else { return -1 }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
