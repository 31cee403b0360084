internal import Domain

/// The form in which bodies of frequent audit entries lie in the database: the same JSON, a third as long.
///
/// The chain covers the JSON. A packed body is that JSON with its ids and its most common pieces replaced, byte for byte: whoever expands
/// it knows nothing of entries, and no body can be packed that expands to another one. JSON has no control characters, so a body that
/// begins with one is packed, and inside it each control character stands for something:
///
/// - 1 is followed by 16 bytes, an id, in lower-case text with hyphens;
/// - every other one is a `Piece`.
///
/// The list of pieces belongs to the stored form: it may grow, but none may change.
package enum PackedBody {
    /// Text that nearly every body of a frequent kind has, by the byte that stands for it.
    package enum Piece: UInt8, CaseIterable, Sendable {
        case start = 2
        case application = 3
        case credential = 4
        case name = 5
        case address = 6
        case organization = 7
        case fetch = 8
        case account = 9
        case asset = 10
        case granted = 11
        case latency = 12
        case version = 13

        package var text: StaticString {
            switch self {
            case .start: "{\"v\":1,\"time\":"
            case .application: ",\"phase\":\"single\",\"actor\":{\"kind\":\"application\",\"id\":\""
            case .credential: "\",\"credential\":\""
            case .name: "\",\"name\":\""
            case .address: ",\"address\":\""
            case .organization: ",\"organization\":\""
            case .fetch: "\",\"action\":\"secret.fetch\""
            case .account: ",\"objects\":[{\"kind\":\"account\",\"id\":\""
            case .asset: "\"},{\"kind\":\"asset\",\"id\":\""
            case .granted: ",\"outcome\":\"granted\",\"request\":\""
            case .latency: "\",\"latency\":"
            case .version: ",\"version\":"
            }
        }
    }

    /// Stands before the bytes of an id.
    package static let idMark: UInt8 = 1
    /// No body is longer, packed or not; what would expand to more is damage.
    static let limit = 1 << 20
    private static let idTextCount = 36

    private enum AnyEntity {}

    // MARK: - Packing

    /// The packed form of JSON without control characters, or of a part of it: parts may be packed alone and joined.
    package static func pack(_ json: [UInt8]) -> [UInt8] {
        var packed: [UInt8] = []
        packed.reserveCapacity(json.count)
        json.withUnsafeBytes { json in
            var position = 0
            while position < json.count {
                if let piece = piece(in: json, at: position) {
                    packed.append(piece.rawValue)
                    position += piece.text.utf8CodeUnitCount
                } else if let id = id(in: json, at: position) {
                    packed.append(idMark)
                    packed += id.bytes
                    position += idTextCount
                } else {
                    packed.append(json[position])
                    position += 1
                }
            }
        }
        return packed
    }

    private static func piece(in json: UnsafeRawBufferPointer, at position: Int) -> Piece? {
        switch json[position] {
        case UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: "\""):
            return Piece.allCases.first { piece in
                piece.text.withUTF8Buffer { text in
                    text.count <= json.count - position && json[position..<(position + text.count)].elementsEqual(text)
                }
            }
        default: return nil
        }
    }

    /// The id that stands there, if it is written as ids are: anything else would expand to other text.
    private static func id(in json: UnsafeRawBufferPointer, at position: Int) -> Identifier<AnyEntity>? {
        let hyphen = UInt8(ascii: "-")
        guard json.count - position >= idTextCount, json[position + 8] == hyphen, json[position + 13] == hyphen else {
            return nil
        }
        let text = UnsafeRawBufferPointer(rebasing: json[position..<(position + idTextCount)])
        guard let id = Identifier<AnyEntity>(utf8: text) else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: idTextCount, alignment: 1) { written in
            id.write(to: written)
            return text.elementsEqual(written) ? id : nil
        }
    }

    // MARK: - Expanding

    /// The JSON of a stored body. One that is damaged comes back as it is, and the chain shows that it is none.
    package static func expand(_ stored: UnsafeRawBufferPointer) -> [UInt8] {
        guard let first = stored.first, first < 0x20, let json = expanded(stored) else { return Array(stored) }
        return json
    }

    private static func expanded(_ stored: UnsafeRawBufferPointer) -> [UInt8]? {
        var json: [UInt8] = []
        json.reserveCapacity(min(4 * stored.count, limit))
        var position = 0
        while position < stored.count {
            let byte = stored[position]
            position += 1
            if byte >= 0x20 {
                json.append(byte)
            } else if byte == idMark {
                guard stored.count - position >= 16,
                    let id = Identifier<AnyEntity>(
                        bytes: UnsafeRawBufferPointer(rebasing: stored[position..<(position + 16)]))
                else { return nil }
                withUnsafeTemporaryAllocation(byteCount: idTextCount, alignment: 1) { text in
                    id.write(to: text)
                    json.append(contentsOf: UnsafeRawBufferPointer(text))
                }
                position += 16
            } else {
                guard let piece = Piece(rawValue: byte) else { return nil }
                piece.text.withUTF8Buffer { json.append(contentsOf: $0) }
            }
            if json.count > limit { return nil }
        }
        return json
    }
}
