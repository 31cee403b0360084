import HTTPServer
import Testing

@Suite("Peer address")
struct PeerAddressTests {
    @Test(
        "text is read and written in the usual form",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::ffff:10.1.2.3", "10.1.2.3"), ("2001:DB8::0:1", "2001:db8::1"), ("::", "::"),
        ])
    func text(_ given: String, _ expected: String) {
        #expect(PeerAddress(text: given)?.description == expected)
    }

    @Test("what is no address is none", arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "::1%eth0", "1.2.3.4/8", "::g"])
    func notAnAddress(_ given: String) {
        #expect(PeerAddress(text: given) == nil)
    }

    @Test("octets are in network order")
    func octets() {
        #expect(PeerAddress(text: "1.2.3.4")?.octets == [1, 2, 3, 4])
        #expect(PeerAddress(text: "102:304::f")?.octets == [1, 2, 3, 4] + [UInt8](repeating: 0, count: 11) + [15])
        #expect(PeerAddress(ipv4: 0x0a00_0001) == PeerAddress(text: "::ffff:10.0.0.1"))
    }
}

@Suite("Sensitive buffer")
struct SensitiveBufferTests {
    @Test("bytes stay in order while the buffer grows")
    func grows() {
        let buffer = SensitiveBuffer(capacity: 1)
        for value in 0..<2000 { buffer.append(UInt8(truncatingIfNeeded: value)) }
        buffer.append("end" as StaticString)
        buffer.append([1, 2])
        buffer.append(String("text"))
        #expect(buffer.count == 2009)
        #expect(buffer.isComplete)
        buffer.withBytes { bytes in
            #expect(bytes[1999] == UInt8(truncatingIfNeeded: 1999))
            #expect(Array(bytes.suffix(9)) == Array("end".utf8) + [1, 2] + Array("text".utf8))
        }
    }
}

@Suite("Byte stream")
struct ByteStreamTests {
    @Test("a request id is 32 hexadecimal digits")
    func requestID() {
        let id = RequestID(high: 0x0123_4567_89ab_cdef, low: 0xf)
        #expect(id.description == "0123456789abcdef000000000000000f")
    }

    @Test("a moment advances without overflow")
    func time() {
        let start = MonotonicTime(nanoseconds: 5)
        #expect(start.advanced(by: .nanoseconds(7)).nanoseconds == 12)
        #expect(start.advanced(by: .seconds(-1)).nanoseconds == 5)
        #expect(start.advanced(by: .seconds(Int64.max)).nanoseconds == .max)
        #expect(MonotonicTime(nanoseconds: 12).since(start) == .nanoseconds(7))
        #expect(start.since(MonotonicTime(nanoseconds: 12)) == .zero)
    }
}
