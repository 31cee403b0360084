internal import CSSHShim
internal import Glibc

/// One connection to the multiplexer of an `ssh` program: it carries one command or one forwarding, and ends it when it is closed.
final class Multiplexer {
    let socket: Descriptor
    private var received: [UInt8] = []

    /// Nil if the program does not listen (yet).
    static func connect(_ path: String, _ deadline: Deadline) throws(SSHFault) -> Multiplexer? {
        guard let socket = try UnixSocket.connect(path) else { return nil }
        let multiplexer = Multiplexer(socket)
        try multiplexer.send(MultiplexRequest.hello, deadline)
        guard case .hello(let version) = try multiplexer.reply(deadline), version == MultiplexRequest.version else {
            throw SSHFault(.localFailure, words: "the ssh program has another kind of multiplexer")
        }
        return multiplexer
    }

    private init(_ socket: Descriptor) { self.socket = socket }

    /// Sends a request and the descriptors that belong to it, and waits until the host has done its part.
    func open(_ request: [UInt8], with descriptors: [Descriptor], _ deadline: Deadline) throws(SSHFault) {
        try send(request, deadline)
        for descriptor in descriptors {
            while kssh_send_descriptor(socket.number, descriptor.number) != 0 {
                guard errno == EAGAIN, !deadline.hasPassed else {
                    throw SSHFault(.cut, words: "the ssh program takes no descriptors")
                }
                _ = Poll.wait([.init(socket, writes: true)], milliseconds: deadline.milliseconds)
            }
        }
        switch try reply(deadline) {
        case .opened: return
        case .refused(let words): throw SSHFault(.unreachable, words: words)
        case nil: throw SSHFault(.cut, words: "the ssh program has ended")
        default: throw SSHFault(.localFailure, words: "the ssh program's multiplexer answers something else")
        }
    }

    /// The next message; nil at the end.
    func reply(_ deadline: Deadline) throws(SSHFault) -> MultiplexReply? {
        while true {
            if let message = try WireFrame.take(from: &received, limit: MultiplexReply.limit) {
                guard let reply = message.withUnsafeBytes({ MultiplexReply($0) }) else {
                    throw SSHFault(.localFailure, words: "the ssh program's multiplexer is not understood")
                }
                return reply
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            switch buffer.withUnsafeMutableBytes({ socket.read(into: $0) }) {
            case .count(let count): received += buffer[..<count]
            case .ended: return nil
            case .nothingYet:
                if deadline.hasPassed { throw SSHFault(.timedOut, words: "the host did not answer in time") }
                _ = Poll.wait([.init(socket, reads: true)], milliseconds: deadline.milliseconds)
            }
        }
    }

    func send(_ message: [UInt8], _ deadline: Deadline) throws(SSHFault) {
        var sent = 0
        while sent < message.count {
            guard let count = message[sent...].withUnsafeBytes({ socket.write($0) }) else {
                throw SSHFault(.cut, words: "the ssh program has ended")
            }
            sent += count
            if count == 0 {
                if deadline.hasPassed { throw SSHFault(.timedOut, words: "the ssh program does not read") }
                _ = Poll.wait([.init(socket, writes: true)], milliseconds: deadline.milliseconds)
            }
        }
    }
}
