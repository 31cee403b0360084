internal import Streams

/// What a server says first: who it is, what it can do, and the nonce that a password is proved with (protocol 10).
struct Handshake {
    let version: String
    let capabilities: Int
    let nonce: [UInt8]
    let plugin: String

    init(_ packet: [UInt8]) throws(MariaDBFault) {
        var reader = PacketReader(packet)
        guard try reader.byte() == 10 else { throw MariaDBFault(.brokenProtocol, "not the protocol of MariaDB") }
        version = String(decoding: try reader.untilNUL().prefix(100), as: UTF8.self)
        _ = try reader.number(4)
        var nonce = try reader.bytes(8)
        _ = try reader.byte()
        var capabilities = try reader.number(2)
        _ = try reader.bytes(3)
        capabilities |= try reader.number(2) << 16
        let length = Int(try reader.byte())
        _ = try reader.bytes(10)
        nonce += try reader.bytes(min(reader.count, max(13, length - 8)))
        if nonce.last == 0 { nonce.removeLast() }
        self.nonce = nonce
        self.capabilities = capabilities
        guard capabilities & Capability.plugins != 0, !reader.isAtEnd else {
            plugin = Proof.native.rawValue
            return
        }
        plugin = String(decoding: try reader.untilNUL().prefix(100), as: UTF8.self)
    }

    var isMariaDB: Bool { version.contains("MariaDB") }
}

/// Flags of the handshake; ours leave out several statements in one, files of the client, and passwords in clear.
enum Capability {
    static let tls = 0x800
    static let plugins = 0x8_0000
    private static let longPassword = 0x1
    private static let longFlags = 0x4
    private static let protocol41 = 0x200
    private static let transactions = 0x2000
    private static let secureConnection = 0x8000
    private static let longProofs = 0x20_0000

    static let needed = protocol41 | secureConnection | plugins
    static let ours = longPassword | longFlags | transactions | longProofs | needed
}
