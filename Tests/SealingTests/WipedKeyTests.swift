import Domain
import Glibc
import TestSupport
import Testing

@testable import Cryptography
@testable import Sealing

@Suite("Keys in memory")
struct WipedKeyTests {
    @Test("after sealing, nothing of a row key is left in memory, though who verified rows with it still has its workspace")
    func rowKey() throws {
        let vault = try FoundVault()
        let workspace = try SealingWorkspace()
        let (key, state) = (try #require(MemoryTrace()), try #require(MemoryTrace()))
        do {
            let keys = try vault.keyring.keys()
            let stored = try keys.authenticated(RowAuthenticationTests.account(), with: workspace)
            _ = try keys.verified(stored, with: workspace)
            let encryption = try #require(keys.keyEncryption[keys.activeNumber])
            let derived = try HKDF.derive(from: encryption, info: "keyturn/row-authentication/v1")
            derived.withBytes { key.note($0) }
            keys.activeRowKey.hmac.states.withBytes { state.note($0) }
            withExtendedLifetime((keys, derived)) {
                #expect(key.isFound && state.isFound, "the search must find what is there")
            }
        }
        vault.keyring.seal()
        withExtendedLifetime(workspace) { #expect(!key.isFound && !state.isFound) }
    }
}

/// Looks for 32 bytes in the whole memory of this process, as somebody would who got hold of an image of it.
private final class MemoryTrace {
    private static let noteByteCount = 32
    private static let pieceByteCount = 1 << 20

    /// In memory of its own, which the search leaves out: what is looked for, and the piece that was read.
    private let own: UnsafeMutableRawBufferPointer
    private let memory: UnsafeMutablePointer<FILE>

    init?() {
        let size = Self.noteByteCount + Self.pieceByteCount
        guard let file = fopen("/proc/self/mem", "re"),
            let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED
        else { return nil }
        memory = file
        own = UnsafeMutableRawBufferPointer(start: start, count: size)
    }

    deinit {
        fclose(memory)
        munmap(own.baseAddress, own.count)
    }

    /// The first bytes of these are what is looked for.
    func note(_ bytes: UnsafeRawBufferPointer) {
        own.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<Self.noteByteCount]))
    }

    var isFound: Bool {
        let piece = UnsafeMutableRawBufferPointer(rebasing: own[Self.noteByteCount...])
        return writable().contains { range in
            var place = range.lowerBound
            while place < range.upperBound {
                let read = pread(fileno(memory), piece.baseAddress, min(piece.count, range.upperBound - place), place)
                guard read > 0 else { return false }
                if isNoted(in: UnsafeRawBufferPointer(rebasing: piece[..<read])) { return true }
                // The next piece begins where the bytes could begin that this one has not whole.
                place += place + read < range.upperBound && read > Self.noteByteCount ? read - Self.noteByteCount + 1 : read
            }
            return false
        }
    }

    private func isNoted(in piece: UnsafeRawBufferPointer) -> Bool {
        let note = own[..<Self.noteByteCount]
        // Most of memory is zeros: what is looked for first is something else.
        guard let rare = note.firstIndex(where: { $0 != 0 }), let first = piece.baseAddress, let wanted = own.baseAddress
        else { return false }
        let end = first + piece.count
        var place = first
        while let found = memchr(place, Int32(note[rare]), end - place) {
            let start = UnsafeRawPointer(found) - rare
            if start >= first, end - start >= note.count, memcmp(start, wanted, note.count) == 0 { return true }
            place = UnsafeRawPointer(found) + 1
        }
        return false
    }

    /// What this process can write to, but for the memory of this search.
    private func writable() -> [Range<Int>] {
        guard let maps = fopen("/proc/self/maps", "re") else { return [] }
        defer { fclose(maps) }
        let mine = Int(bitPattern: own.baseAddress)..<Int(bitPattern: own.baseAddress) + own.count
        var ranges: [Range<Int>] = []
        var line = [CChar](repeating: 0, count: 8192)
        while fgets(&line, Int32(line.count), maps) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
                separator: " ")
            let ends = words.first?.split(separator: "-").compactMap { Int($0, radix: 16) } ?? []
            guard words.count > 1, words[1].hasPrefix("rw"), ends.count == 2, ends[0] < ends[1] else { continue }
            // Neighbouring maps are shown as one.
            let whole = ends[0]..<ends[1]
            ranges += [ends[0]..<mine.lowerBound.clamped(to: whole), mine.upperBound.clamped(to: whole)..<ends[1]]
        }
        return ranges.filter { !$0.isEmpty }
    }
}

extension Int {
    fileprivate func clamped(to range: Range<Int>) -> Int { Swift.min(Swift.max(self, range.lowerBound), range.upperBound) }
}
