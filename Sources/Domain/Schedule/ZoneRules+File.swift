/// What is wrong with a time zone file.
package enum ZoneFileFault: Error, Sendable, Hashable {
    case notAZoneFile
    case tooLarge
    case damaged
    /// Counts leap seconds, which no clock here does.
    case leapSeconds
}

extension ZoneRules {
    /// Reads a file of the time zone database: TZif of version 2 and above (RFC 9636).
    package init(file bytes: [UInt8]) throws(ZoneFileFault) {
        guard bytes.count <= 256 << 10 else { throw .tooLarge }
        var reader = ZoneFileReader(bytes)
        let old = try reader.header()
        guard old.version >= 2 else { throw .notAZoneFile }
        // The first block has 4-byte moments and is there for old readers.
        try reader.skip(old.length(ofMoment: 4))
        let header = try reader.header()
        guard header.leaps == 0 else { throw .leapSeconds }
        self = try reader.rules(header)
    }
}

/// Goes through the bytes of a zone file; every read is checked.
private struct ZoneFileReader {
    private let bytes: [UInt8]
    private var position = 0

    struct Header {
        let version: UInt8
        let utcMarks: Int
        let standardMarks: Int
        let leaps: Int
        let moments: Int
        let types: Int
        let letters: Int

        /// Bytes of the data block that follows.
        func length(ofMoment size: Int) -> Int {
            moments * (size + 1) + types * 6 + letters + leaps * (size + 4) + standardMarks + utcMarks
        }
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func header() throws(ZoneFileFault) -> Header {
        guard bytes.count - position >= 44, Array(bytes[position..<position + 4]) == Array("TZif".utf8) else {
            throw .notAZoneFile
        }
        let version = bytes[position + 4]
        position += 20
        var counts: [Int] = []
        for _ in 0..<6 { counts.append(Int(try number(4))) }
        guard counts.allSatisfy({ (0...10_000).contains($0) }), (1...256).contains(counts[4]) else { throw .damaged }
        return Header(
            version: version == 0 ? 1 : version &- 0x30, utcMarks: counts[0], standardMarks: counts[1], leaps: counts[2],
            moments: counts[3], types: counts[4], letters: counts[5])
    }

    mutating func rules(_ header: Header) throws(ZoneFileFault) -> ZoneRules {
        var moments: [Int64] = []
        for _ in 0..<header.moments { moments.append(try number(8)) }
        var places: [Int] = []
        for _ in 0..<header.moments { places.append(Int(try byte())) }
        var offsets: [Int64] = []
        for _ in 0..<header.types {
            offsets.append(try number(4))
            try skip(2)
        }
        guard offsets.allSatisfy({ abs($0) <= 26 * 3600 }), places.allSatisfy({ $0 < offsets.count }), let first = offsets.first
        else { throw .damaged }
        var changes: [ZoneRules.Change] = []
        for (moment, place) in zip(moments, places) {
            guard moment > changes.last?.moment ?? .min, (-(1 << 60)...(1 << 60)).contains(moment) else { throw .damaged }
            changes.append(ZoneRules.Change(moment: moment, offset: offsets[place]))
        }
        try skip(header.letters + header.standardMarks + header.utcMarks)
        return ZoneRules(first: first, changes: changes, rule: try footer())
    }

    /// The rule at the end of the file, between two line breaks; empty where there is none.
    private mutating func footer() throws(ZoneFileFault) -> YearlyRule? {
        guard try byte() == 10, let end = bytes[position...].firstIndex(of: 10) else { throw .damaged }
        let text = Array(bytes[position..<end])
        if text.isEmpty { return nil }
        guard let rule = YearlyRule(text) else { throw .damaged }
        return rule
    }

    mutating func skip(_ count: Int) throws(ZoneFileFault) {
        guard count <= bytes.count - position else { throw .damaged }
        position += count
    }

    private mutating func byte() throws(ZoneFileFault) -> UInt8 {
        guard position < bytes.count else { throw .damaged }
        defer { position += 1 }
        return bytes[position]
    }

    /// A signed number, most significant byte first.
    private mutating func number(_ size: Int) throws(ZoneFileFault) -> Int64 {
        guard bytes.count - position >= size else { throw .damaged }
        defer { position += size }
        let value = bytes[position..<position + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }
}
