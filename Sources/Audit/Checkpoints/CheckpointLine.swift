package import Cryptography
internal import Domain
internal import JSON

/// A checkpoint as one line of JSON, with the public key that it was signed with: how it stands in the file outside the database.
package struct CheckpointLine: Sendable, Equatable {
    package let checkpoint: Checkpoint
    package let publicKey: Ed25519.PublicKey

    /// Without the line feed.
    var text: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.field("seq", checkpoint.head.seq)
            $0.field("count", checkpoint.count)
            $0.field("head", Hexadecimal.text(checkpoint.head.hash))
            $0.field("time", checkpoint.time.milliseconds)
            if let rows = checkpoint.rows { $0.field("rows", rows) }
            $0.field("key", checkpoint.keyID.text)
            $0.field("public_key", Hexadecimal.text(publicKey.bytes))
            $0.field("signature", Hexadecimal.text(checkpoint.signature))
        }
        return writer.bytes
    }

    /// Nil if the line is no checkpoint; whether its signature is good is another question.
    static func parse(_ line: [UInt8]) -> CheckpointLine? {
        guard let value = try? JSONDocument.parse(line, limits: JSONLimits(depth: 2, bytes: 4096, values: 64)) else { return nil }
        func bytes(_ name: String, count: Int) -> [UInt8]? {
            guard let bytes = value[name]?.string.flatMap(Hexadecimal.bytes), bytes.count == count else { return nil }
            return bytes
        }
        guard let seq = value["seq"]?.int, let count = value["count"]?.int, let time = value["time"]?.int,
            let key = value["key"]?.string, let head = bytes("head", count: SHA256.byteCount),
            let publicKey = bytes("public_key", count: Ed25519.keyByteCount),
            let signature = bytes("signature", count: Ed25519.signatureByteCount)
        else { return nil }
        let checkpoint = Checkpoint(
            head: ChainHead(seq: seq, hash: head), count: count, time: Timestamp(milliseconds: time),
            rows: value["rows"]?.int, keyID: SigningKeyID(text: key), signature: signature)
        return CheckpointLine(checkpoint: checkpoint, publicKey: Ed25519.PublicKey(bytes: publicKey))
    }
}
