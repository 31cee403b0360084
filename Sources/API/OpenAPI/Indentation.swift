/// Lays compact JSON out for people: two blanks a level, a line a member.
enum Indentation {
    static func indent(_ compact: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(compact.count * 2)
        var depth = 0
        var isInString = false
        var isEscaped = false
        var previous: UInt8 = 0
        for byte in compact {
            if isInString {
                out.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                previous = byte
                continue
            }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if isOpening(previous) { newLine(depth, &out) }
                out.append(byte)
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if !isOpening(previous) { newLine(depth, &out) }
                out.append(byte)
            case UInt8(ascii: ","):
                out.append(byte)
                newLine(depth, &out)
            case UInt8(ascii: ":"):
                out.append(byte)
                out.append(0x20)
            default:
                if isOpening(previous) { newLine(depth, &out) }
                isInString = byte == UInt8(ascii: "\"")
                out.append(byte)
            }
            previous = byte
        }
        out.append(0x0A)
        return out
    }

    private static func isOpening(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") }

    private static func newLine(_ depth: Int, _ out: inout [UInt8]) {
        out.append(0x0A)
        out.append(contentsOf: repeatElement(0x20, count: max(0, depth) * 2))
    }
}
