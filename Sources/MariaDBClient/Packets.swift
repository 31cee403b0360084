internal import Cryptography
internal import Streams

/// Packets over a stream: three bytes of length, a running number, the payload. Bounded: no answer of ours needs a long one.
final class Packets {
    let stream: TransportStream
    private var sequence: UInt8 = 0
    /// What may still come before the limit is reached.
    var budget: Int

    init(_ stream: TransportStream, budget: Int) {
        self.stream = stream
        self.budget = budget
    }

    /// A new command: numbers begin again.
    func begin(budget: Int) {
        sequence = 0
        self.budget = budget
    }

    func read(until deadline: ContinuousClock.Instant) throws(MariaDBFault) -> [UInt8] {
        do throws(TransportFault) {
            let head = try stream.read(4, until: deadline)
            let count = Int(head[0]) | Int(head[1]) << 8 | Int(head[2]) << 16
            guard head[3] == sequence else { throw TransportFault(.badInput, "a packet out of order") }
            guard count < 0xFF_FFFF, count + 4 <= budget else { throw TransportFault(.badInput, "the answer is too long") }
            budget -= count + 4
            sequence &+= 1
            return try stream.read(count, until: deadline)
        } catch {
            // Here nothing of ours can be wrong.
            throw error.kind == .badInput ? MariaDBFault(.brokenProtocol, error.words) : MariaDBFault(error)
        }
    }

    func write(_ payload: [UInt8], until deadline: ContinuousClock.Instant) throws(MariaDBFault) {
        guard payload.count < 0xFF_FFFF else { throw MariaDBFault(.badInput, "the statement is too long") }
        var packet = Bytes.number(payload.count, 3) + [sequence] + payload
        defer { ConstantTime.wipe(&packet) }
        sequence &+= 1
        do throws(TransportFault) { try stream.write(packet, until: deadline) } catch { throw MariaDBFault(error) }
    }

    func startTLS(until deadline: ContinuousClock.Instant) throws(MariaDBFault) {
        do throws(TransportFault) { try stream.startTLS(until: deadline) } catch { throw MariaDBFault(error) }
    }
}

/// Fields as they are written.
enum Bytes {
    static func number(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
