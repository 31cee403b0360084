import Testing

@Suite("Reading the audit's chain")
struct ChainReaderTests {
    @Test("whoever has the export alone sees that the chain is whole, and which entry was changed, left out or put elsewhere")
    func follow() async throws {
        let vault = try await SmallVault.start()
        let lines = try await AuditExport(vault.server).lines
        var reader = ChainReader()
        var broken = try reader.follow(lines)
        #expect(broken == nil && reader.seq == Int64(lines.count) && lines.count > 4)
        broken = try await reader.follow(AuditExport(vault.server, after: reader.seq).lines)
        #expect(broken == nil && reader.seq > Int64(lines.count))

        func place(_ change: (inout [String]) -> Void) throws -> Int? {
            var (changed, reader) = (lines, ChainReader())
            change(&changed)
            return try reader.follow(changed).flatMap { changed.firstIndex(of: $0) }
        }
        #expect(try place { $0[2] = $0[2].replacing("\"outcome\":\"", with: "\"outcome\":\"x") } == 2)
        #expect(try place { $0[2] = String($0[2].dropLast(3)) + "0\"}" } == 2 || lines[2].hasSuffix("0\"}"))
        #expect(try place { $0.remove(at: 1) } == 1)
        #expect(try place { $0.swapAt(2, 3) } == 2)
        #expect(try place { $0[1] = "" } == 1)
    }
}
