internal import Cryptography

/// Requests to the multiplexer of an `ssh` program (OpenSSH's PROTOCOL.mux), with the length before them.
enum MultiplexRequest {
    static let version: UInt32 = 4

    static let hello = WireFrame.make { writer in
        writer.word(1)
        writer.word(version)
    }

    static func session(_ line: String, onTerminal: Bool, number: UInt32) -> [UInt8] {
        WireFrame.make { writer in
            writer.word(0x1000_0002)
            writer.word(number)
            writer.string("")
            // A terminal, X11, an agent, a subsystem; no escape character.
            for flag in [onTerminal, false, false, false] { writer.word(flag ? 1 : 0) }
            writer.word(0xFFFF_FFFF)
            writer.string("dumb")
            writer.string(line)
        }
    }

    /// A connection that the host makes, carried over two descriptors that follow.
    static func forwarding(to host: String, port: Int, number: UInt32) -> [UInt8] {
        WireFrame.make { writer in
            writer.word(0x1000_0008)
            writer.word(number)
            writer.string("")
            writer.string(host)
            writer.word(UInt32(clamping: port))
        }
    }

    static func aliveCheck(number: UInt32) -> [UInt8] {
        WireFrame.make { writer in
            writer.word(0x1000_0004)
            writer.word(number)
        }
    }
}

/// What the multiplexer says, without the length.
enum MultiplexReply: Equatable {
    case hello(version: UInt32)
    case opened(number: UInt32)
    case refused(words: String)
    case ended(status: UInt32)
    case noTerminal
    case alive
    case other

    static let limit = 256 * 1024

    /// Nil for what is no message of the protocol.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = SSHWireReader(bytes)
        guard let type = reader.word(), let first = reader.word() else { return nil }
        switch type {
        case 1: self = .hello(version: first)
        case 0x8000_0002, 0x8000_0003:
            guard let words = reader.string() else { return nil }
            self = .refused(words: PrintableWords.of(words))
        case 0x8000_0004:
            guard let status = reader.word() else { return nil }
            self = .ended(status: status)
        case 0x8000_0005: self = .alive
        case 0x8000_0006: self = .opened(number: first)
        case 0x8000_0008: self = .noTerminal
        default: self = .other
        }
    }
}
