import Cryptography
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Password hashing")
struct PasswordHashingTests {
    private func password(_ text: String) -> SecretHandoff {
        var bytes = Array(text.utf8)
        return SecretHandoff(Secret(moving: &bytes))
    }

    @Test("a password matches its verifier and no other, and nobody's password matches nothing")
    func match() async throws {
        let hashing = PasswordHashing()
        let verifier = try await hashing.makeVerifier(for: password("open sesame"))
        #expect(try await hashing.isMatch(password("open sesame"), verifier))
        #expect(try await !hashing.isMatch(password("open sesame "), verifier))
        #expect(try await !hashing.isMatch(password("open sesame"), nil))
        #expect(PasswordVerifier(bytes: verifier.bytes) == verifier)
    }

    @Test("bytes that are no verifier are none, and what is one is written as it was read")
    func fuzz() async throws {
        let verifier = try await PasswordHashing().makeVerifier(for: password("open sesame"))
        var fuzzer = Fuzzer(seed: 41, bytes: [verifier.bytes])
        var read = 0
        for _ in 0..<Fuzzer.rounds(5_000) {
            let bytes = fuzzer.next()
            guard let found = PasswordVerifier(bytes: bytes) else { continue }
            read += 1
            #expect(found.bytes == bytes)
        }
        #expect(read > 50)
    }

    @Test("what would take more memory than was set aside is refused at once, and the rest is done")
    func capacity() async throws {
        let hashing = PasswordHashing(parallel: 1, capacity: 2)
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    do {
                        _ = try await hashing.isMatch(password("guess"), nil)
                        return true
                    } catch Refusal.tooMany {
                        return false
                    } catch {
                        Issue.record(error)
                        return false
                    }
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.contains(false) && outcomes.count { $0 } >= 2)
        // The places are given back.
        #expect(try await !hashing.isMatch(password("guess"), nil))
    }
}
