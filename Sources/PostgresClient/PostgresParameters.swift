internal import CPostgres
internal import Cryptography
internal import CPostgresShim
internal import Glibc

/// Everything that libpq is told about a login. Nothing is left to its defaults, which come from the environment and the home directory.
final class PostgresParameters {
    private var names: [UnsafeMutablePointer<CChar>?] = []
    private var values: [UnsafeMutablePointer<CChar>?] = []
    /// The authorities, as a file that only this process has: libpq takes certificates from files alone.
    private var authorities: Int32 = -1

    /// A path at which there is nothing, and which libpq takes as "no such file".
    private static let nowhere = "/dev/null/none"
    private static let systemAuthorities = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]

    init(
        _ endpoint: PostgresEndpoint, user: String, password: borrowing Secret, proof: PostgresProof, limits: PostgresLimits
    ) throws(PostgresFault) {
        try Self.check(endpoint, user: user)
        try addPassword(password)
        add("user", user)
        add("dbname", endpoint.database)
        add("host", endpoint.name)
        if let address = endpoint.reachedAt { add("hostaddr", address) }
        add("port", "\(endpoint.port)")
        try addChannel(endpoint.channel, proof)
        add("client_encoding", "UTF8")
        add("application_name", "keyturn")
        add("fallback_application_name", "keyturn")
        add("target_session_attrs", "any")
        add("options", "")
        add("connect_timeout", "\(max(2, limits.step.components.seconds))")
        add("tcp_user_timeout", "\(max(1, limits.step.components.seconds) * 1000)")
        for file in ["passfile", "sslcert", "sslkey", "sslcrl"] { add(file, Self.nowhere) }
        names.append(nil)
        values.append(nil)
    }

    deinit {
        for case let name? in names { free(name) }
        for case let value? in values { Self.wipe(value) }
        if authorities >= 0 { close(authorities) }
    }

    /// Begins the connection; nil only where there is no memory.
    func start() -> OpaquePointer? {
        let constantNames = names.map { UnsafePointer<CChar>($0) }
        let constantValues = values.map { UnsafePointer<CChar>($0) }
        return PQconnectStartParams(constantNames, constantValues, 0)
    }

    private func add(_ name: String, _ value: String) {
        names.append(strdup(name))
        values.append(strdup(value))
    }

    private func addPassword(_ password: borrowing Secret) throws(PostgresFault) {
        names.append(strdup("password"))
        values.append(try Self.terminated(password))
    }

    private func addChannel(_ channel: PostgresChannel, _ proof: PostgresProof) throws(PostgresFault) {
        add("gssencmode", "disable")
        add("sslcompression", "0")
        add("ssl_min_protocol_version", "TLSv1.2")
        var roots = Self.nowhere
        switch channel {
        case .verified(nil):
            add("sslmode", "verify-full")
            guard let found = Self.systemAuthorities.first(where: { access($0, R_OK) == 0 }) else {
                throw PostgresFault(.noSafeChannel, "the system has no file of certificate authorities")
            }
            roots = found
        case .verified(let given?):
            add("sslmode", "verify-full")
            roots = try store(given)
        case .verifiedAuthority(let given):
            add("sslmode", "verify-ca")
            roots = try store(given)
        case .bound:
            add("sslmode", "require")
        case .clear:
            add("sslmode", "disable")
        }
        add("sslrootcert", roots)
        let isBound = channel == .bound || proof == .channelBound
        add("channel_binding", channel == .clear ? "disable" : isBound ? "require" : "prefer")
    }

    private func store(_ text: String) throws(PostgresFault) -> String {
        let bytes = Array(text.utf8)
        authorities = pq_shim_memory_file(bytes, bytes.count)
        guard authorities >= 0 else { throw PostgresFault(.noSafeChannel, "no room for the certificate authorities") }
        return "/proc/self/fd/\(authorities)"
    }

    static func wipe(_ text: UnsafeMutablePointer<CChar>) {
        ConstantTime.wipe(UnsafeMutableRawBufferPointer(start: text, count: strlen(text)))
        free(text)
    }

    /// A copy that C can read; whoever asked gives it to `wipe`.
    static func terminated(_ password: borrowing Secret) throws(PostgresFault) -> UnsafeMutablePointer<CChar> {
        try password.withBytes { (bytes) throws(PostgresFault) in
            // An empty password is none to PostgreSQL, and libpq would look for one elsewhere.
            guard bytes.count > 0, !bytes.contains(0) else {
                throw PostgresFault(.badInput, "PostgreSQL takes no password that is empty or has a NUL byte")
            }
            guard let copy = malloc(bytes.count + 1) else { throw PostgresFault(.badInput, "no memory") }
            UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyMemory(from: bytes)
            let text = copy.assumingMemoryBound(to: CChar.self)
            text[bytes.count] = 0
            return text
        }
    }

    /// libpq reads a comma as a list of hosts and a slash or an at-sign as a Unix socket; the server cuts long names.
    private static func check(_ endpoint: PostgresEndpoint, user: String) throws(PostgresFault) {
        for host in [endpoint.name] + (endpoint.reachedAt.map { [$0] } ?? []) {
            guard !host.isEmpty, !host.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: ",") }),
                host.utf8.first != UInt8(ascii: "/"), host.utf8.first != UInt8(ascii: "@")
            else { throw PostgresFault(.badInput, "not the name of a host") }
        }
        guard (1...65535).contains(endpoint.port) else { throw PostgresFault(.badInput, "not a port") }
        _ = try PostgresQuoting.identifier(user)
        _ = try PostgresQuoting.identifier(endpoint.database)
    }
}
