import Testing

@testable import Cryptography

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4 examples.
    @Test(
        "the published digests come out",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func matches(text: String, digest: String) throws {
        #expect(try SHA256.digest(Array(text.utf8)) == hex(digest))
    }

    @Test("a context begins anew after each digest, and pieces count as one message")
    func reuses() throws {
        let hash = try SHA256()
        for _ in 0..<3 {
            hash.update(Array("a".utf8))
            hash.update([])
            hash.update(Array("bc".utf8))
            #expect(try hash.finalize() == SHA256.digest(Array("abc".utf8)))
        }
    }
}
