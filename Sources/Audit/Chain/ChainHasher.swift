package import Cryptography

/// Links an entry to its predecessor: SHA-256 over the previous hash, the entry's number and its body.
///
/// Each part is preceded by its length in 4 bytes, most significant first, as in `CanonicalBytes`; the number has 8 bytes.
/// Confined to one thread: the digest and the bytes before the body are reused.
package final class ChainHasher {
    private let digest: SHA256
    private var preamble = [UInt8](repeating: 0, count: 52)

    package init() throws(CryptographyFault) {
        digest = try SHA256()
        preamble[3] = 32
        preamble[39] = 8
    }

    /// The head of the chain after an entry with this body was linked to `head`.
    package func link(_ body: UnsafeRawBufferPointer, to head: ChainHead) throws -> ChainHead {
        guard head.hash.count == SHA256.byteCount, let seq = head.nextSeq else {
            throw AuditFault.chainBroken(seq: head.seq, "no entry can follow it")
        }
        preamble.withUnsafeMutableBytes { preamble in
            UnsafeMutableRawBufferPointer(rebasing: preamble[4..<36]).copyBytes(from: head.hash)
            preamble.storeBytes(of: seq.bigEndian, toByteOffset: 40, as: Int64.self)
            preamble.storeBytes(of: UInt32(clamping: body.count).bigEndian, toByteOffset: 48, as: UInt32.self)
        }
        preamble.withUnsafeBytes { digest.update($0) }
        digest.update(body)
        return ChainHead(seq: seq, hash: try digest.finalize())
    }
}
