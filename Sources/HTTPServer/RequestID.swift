/// What names one request in answers, logs and the audit: 16 bytes, unique in practice.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Thirty-two lower-case hexadecimal digits.
    package var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        appendHex(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    package func appendHex(to bytes: inout [UInt8]) {
        for word in [high, low] {
            for shift in stride(from: 60, through: 0, by: -4) {
                bytes.append(Self.digit(word >> UInt64(shift)))
            }
        }
    }

    package func appendHex(to buffer: SensitiveBuffer) {
        for word in [high, low] {
            for shift in stride(from: 60, through: 0, by: -4) {
                buffer.append(Self.digit(word >> UInt64(shift)))
            }
        }
    }

    private static func digit(_ word: UInt64) -> UInt8 {
        let nibble = UInt8(truncatingIfNeeded: word & 0xf)
        return nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble
    }
}

/// Makes one loop's request ids: a random prefix and a counter that starts anywhere.
struct RequestIDSource {
    private let prefix = UInt64.random(in: .min ... .max)
    private var counter = UInt64.random(in: .min ... .max)

    mutating func next() -> RequestID {
        counter &+= 1
        return RequestID(high: prefix, low: counter)
    }
}
