import TestSupport
import Testing

@testable import HTTPServer

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
    @Test("a stream that nobody reads holds its producer back after its capacity")
    func bounded() async {
        let stream = ByteStream(capacity: 100)
        #expect(await stream.write([UInt8](repeating: 1, count: 100)))
        let second = Task { await stream.write([1]) }
        let first = await withTaskGroup(of: String.self) { group in
            group.addTask { await second.value ? "written" : "dropped" }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(50))
                return "held"
            }
            let first = await group.next()
            stream.finish()
            stream.readerLeft()
            return first
        }
        #expect(first == "held")
        #expect(await second.value == false)
    }

    @Test("bytes come out in order across chunks and reads of any size")
    func order() async {
        let stream = ByteStream()
        let all = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        for start in stride(from: 0, to: 1000, by: 125) { _ = await stream.write(Array(all[start..<(start + 125)])) }
        stream.finish()
        var read: [UInt8] = []
        for size in 1... {
            var part = [UInt8](repeating: 0, count: size)
            let reading = part.withUnsafeMutableBytes { stream.read(into: $0) }
            guard case .bytes(let count) = reading else {
                #expect(reading == .end)
                break
            }
            read += part.prefix(count)
        }
        #expect(read == all)
    }
}

@Suite("Request id and time")
struct RequestIDTests {
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

@Suite("Framing")
struct FramingTests {
    @Test(
        "a token is found in a list in any place and case",
        arguments: [
            ("close", true), ("Keep-Alive, CLOSE", true), ("a,close ,b", true), ("closed", false), ("", false), (",,", false),
        ])
    func tokens(_ list: String, _ expected: Bool) {
        #expect(Array(list.utf8).withUnsafeBytes { Framing.hasToken("close", in: $0) } == expected)
    }

    @Test("random targets and headers are judged without a trap")
    func fuzz() {
        var random = SeededGenerator(seed: 11)
        let alphabet = Array("/.%2eEfF5c0?#:, \tclosechunkedTransfer-EncodingContent-Length0123456789".utf8)
        for _ in 0..<Fuzzer.rounds(3000) {
            var target = RawTarget()
            var headers = HeaderTable()
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? alphabet[Int.random(in: 0..<alphabet.count, using: &random)] : .random(in: 0...255, using: &random)
            }
            bytes.withUnsafeBytes { raw in
                target.assign(raw)
                #expect(target.path.count + target.query.count + (bytes.contains(0x3f) ? 1 : 0) == bytes.count)
                if target.isUnambiguous { #expect(bytes.first == 0x2f && !bytes.contains(0)) }
                let name: StaticString = Bool.random(using: &random) ? "Content-Length" : "Transfer-Encoding"
                name.withUTF8Buffer { headers.append(name: UnsafeRawBufferPointer($0), value: raw) }
                let framing = try? Framing(headers, isHTTP11: true)
                if let length = framing?.length { #expect(length >= 0 && String(decoding: bytes, as: UTF8.self).count > 0) }
            }
        }
    }
}

@Suite("Body budget")
struct BodyBudgetTests {
    private let proxy = PeerAddress(ipv4: 0x0A00_0001)

    private func budget() -> BodyBudget {
        let proxy = proxy
        return BodyBudget(limit: 1000, limitPerAddress: 400) { $0 == proxy }
    }

    @Test("one address has its share and no more, and what it holds is not taken from others")
    func share() {
        let budget = budget()
        let (greedy, honest) = (budget.share(of: PeerAddress(ipv4: 1)), budget.share(of: PeerAddress(ipv4: 2)))
        #expect(greedy.take(400) && !greedy.take(1))
        #expect(honest.take(400))
        greedy.giveBack(100)
        #expect(greedy.take(100) && !greedy.take(1))
        #expect(budget.inUse == 800)
    }

    @Test("the addresses of one IPv6 subscriber have one share; those of another have their own")
    func subscriber() {
        let budget = budget()
        #expect(budget.share(of: PeerAddress(ipv6High: 7, low: 1)).take(400))
        #expect(!budget.share(of: PeerAddress(ipv6High: 7, low: 2)).take(1))
        #expect(budget.share(of: PeerAddress(ipv6High: 8, low: 1)).take(400))
    }

    @Test("a trusted proxy may take all of it, and what is given back can be taken again")
    func exempt() {
        let budget = budget()
        let share = budget.share(of: proxy)
        #expect(share.take(1000) && !share.take(1))
        #expect(!budget.share(of: PeerAddress(ipv4: 1)).take(1))
        share.giveBack(1000)
        #expect(budget.inUse == 0 && budget.share(of: PeerAddress(ipv4: 1)).take(400))
    }
}

@Suite("Head shape")
struct HeadShapeTests {
    @Test("control characters are found wherever they stand, and only they")
    func controls() {
        for length in 0..<40 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var bytes = [UInt8](repeating: 0xE4, count: length)
                    bytes[place] = byte
                    let isControl = (byte < 0x20 && byte != 9) || byte == 0x7F
                    guard bytes.withUnsafeBytes({ HeadShape.hasControl($0) }) == isControl else {
                        Issue.record("byte \(byte) at \(place) of \(length)")
                        return
                    }
                }
            }
        }
    }
}

@Suite("Names in either case")
struct NamesInEitherCaseTests {
    /// What it must agree with, byte by byte.
    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 0x20 : byte }

    @Test("only ASCII letters have two cases, wherever they stand and however long the name is")
    func everyPair() {
        for length in [1, 7, 8, 9, 15, 16, 17] {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    for other in [byte, byte ^ 0x20, byte ^ 0x80, byte &+ 1] {
                        var mine = [UInt8](repeating: 0x5A, count: length)
                        var its = [UInt8](repeating: 0x7A, count: length)
                        (mine[place], its[place]) = (byte, other)
                        let isSame = mine.withUnsafeBytes { mine in its.withUnsafeBytes { mine.equalsIgnoringCase($0) } }
                        guard isSame == (Self.lower(byte) == Self.lower(other)) else {
                            Issue.record("byte \(byte) and \(other) at \(place) of \(length)")
                            return
                        }
                    }
                }
            }
        }
    }
}
