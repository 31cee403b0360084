import Cryptography

/// Follows the audit's chain of hashes along lines of the export, as any reader of these can, and remembers how far it has come.
///
/// An entry's hash is SHA-256 over the hash before it (zeros before the first), its number in 8 bytes, and its body, each behind its
/// length in 4 bytes, most significant byte first. The body is the line without `seq` and `hash`.
struct ChainReader {
    /// The last entry that was found linked to the one before it.
    private(set) var seq: Int64 = 0
    private var hash = [UInt8](repeating: 0, count: SHA256.byteCount)

    /// Goes on with the lines after the last entry; nil if each is linked to the one before it, else the line that is not.
    mutating func follow(_ lines: [String]) throws -> String? {
        for line in lines {
            let next = try Self.hash(after: hash, seq + 1, Self.body(of: line, seq + 1))
            guard line.hasPrefix("{\"seq\":\(seq + 1),"), line.hasSuffix(",\"hash\":\"\(Self.hexadecimal(next))\"}") else {
                return line
            }
            (seq, hash) = (seq + 1, next)
        }
        return nil
    }

    private static func body(of line: String, _ seq: Int64) -> [UInt8] {
        let before = "{\"seq\":\(seq),".utf8.count
        let after = ",\"hash\":\"\"}".utf8.count + 2 * SHA256.byteCount
        return Array("{".utf8) + line.utf8.dropFirst(before).dropLast(after) + Array("}".utf8)
    }

    private static func hash(after hash: [UInt8], _ seq: Int64, _ body: [UInt8]) throws -> [UInt8] {
        let number = withUnsafeBytes(of: seq.bigEndian) { Array($0) }
        let parts = [hash, number, body].flatMap { part in
            withUnsafeBytes(of: UInt32(part.count).bigEndian) { Array($0) } + part
        }
        return try SHA256.digest(parts)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
