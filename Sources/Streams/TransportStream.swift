package import Cryptography

/// A connection to a server: bytes in both directions, each step with a deadline. Its calls block.
///
/// `@unchecked` is safe as one thread at a time calls it: whoever owns the stream sees to that.
package final class TransportStream: @unchecked Sendable {
    private let endpoint: TransportEndpoint
    private let socket: Socket
    private var layer: TLSLayer?
    private var buffer: [UInt8] = []
    private var position = 0

    /// Connects; TLS begins with `startTLS`, as some protocols talk before it.
    package init(to endpoint: TransportEndpoint, until deadline: ContinuousClock.Instant) throws(TransportFault) {
        self.endpoint = endpoint
        socket = try Socket(to: endpoint.reachedAt ?? endpoint.name, port: endpoint.port, until: deadline)
    }

    package var isEncrypted: Bool { layer != nil }

    /// Whether TLS is in place and the server has proved who it is.
    package var provesServer: Bool { layer != nil && endpoint.trust.provesServer }

    package func startTLS(until deadline: ContinuousClock.Instant) throws(TransportFault) {
        // What came before cannot be part of the protected talk.
        guard position == buffer.count else { throw TransportFault(.noSafeChannel, "the server talks before TLS begins") }
        layer = try TLSLayer(over: socket, name: endpoint.name, trust: endpoint.trust, until: deadline)
    }

    package func write(_ bytes: [UInt8], until deadline: ContinuousClock.Instant) throws(TransportFault) {
        var fault: TransportFault?
        bytes.withUnsafeBytes { bytes in
            do throws(TransportFault) { try write(bytes, until: deadline) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    /// What holds a secret is wiped by whoever made it, and by OpenSSL.
    package func write(_ secret: borrowing Secret, until deadline: ContinuousClock.Instant) throws(TransportFault) {
        try secret.withBytes { (bytes) throws(TransportFault) in try write(bytes, until: deadline) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, until deadline: ContinuousClock.Instant) throws(TransportFault) {
        if let layer { try layer.write(bytes, until: deadline) } else { try socket.write(bytes, until: deadline) }
    }

    /// Exactly that many bytes, which the caller has bounded.
    package func read(_ count: Int, until deadline: ContinuousClock.Instant) throws(TransportFault) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            if position == buffer.count { try fill(until: deadline) }
            let part = buffer[position..<min(buffer.count, position + count - bytes.count)]
            bytes += part
            position += part.count
        }
        return bytes
    }

    /// One line, without the CR and LF at its end; nil if there is none within `limit` bytes.
    package func readLine(_ limit: Int, until deadline: ContinuousClock.Instant) throws(TransportFault) -> [UInt8]? {
        var line: [UInt8] = []
        while line.count <= limit {
            let byte = try read(1, until: deadline)[0]
            if byte == UInt8(ascii: "\n"), line.last == UInt8(ascii: "\r") { return line.dropLast() }
            line.append(byte)
        }
        return nil
    }

    private func fill(until deadline: ContinuousClock.Instant) throws(TransportFault) {
        var block = [UInt8](repeating: 0, count: 16_384)
        var fault: TransportFault?
        let count = block.withUnsafeMutableBytes { room -> Int in
            do throws(TransportFault) {
                if let layer { return try layer.read(into: room, until: deadline) }
                return try socket.read(into: room, until: deadline)
            } catch {
                fault = error
                return 0
            }
        }
        if let fault { throw fault }
        guard count > 0 else { throw TransportFault(.cut, "the server ended the connection") }
        buffer = Array(block[..<count])
        position = 0
    }
}
