internal import Domain

/// One remembered signature: 16 of its 32 bytes, and a keyed hash of the address that used it first.
struct ReplayEntry {
    let high: UInt64
    let low: UInt64
    /// Never zero, which marks a free place.
    let address: UInt64

    init(_ mac: SignatureMAC, _ address: IPAddress) {
        high = mac.words.0
        low = mac.words.1
        // Seeded for each process, so that nobody can look for an address that hashes like another's.
        self.address = UInt64(bitPattern: Int64(address.hashValue)) | 1
    }

    fileprivate init(high: UInt64, low: UInt64, address: UInt64) {
        self.high = high
        self.low = low
        self.address = address
    }

    fileprivate static let free = ReplayEntry(high: 0, low: 0, address: 0)
}

/// A set of entries by open addressing: 24 bytes a place, at most 7 of 8 places taken.
///
/// The codes are as good as random, so their own bits choose the place. Only who holds a key can choose among codes, and
/// the seed keeps even that one from piling them up.
struct ReplayTable {
    private var places: [ReplayEntry]
    private(set) var count = 0
    /// One for the process: nobody outside learns anything of it.
    private static let seed = UInt64.random(in: 0 ... .max) | 1

    /// With places for about so many entries; more are made when they are needed.
    init(room: Int = 0) {
        var capacity = 0
        if room > 0 {
            capacity = 8
            while capacity < min(room, 4096) * 8 / 7 { capacity *= 2 }
        }
        places = Array(repeating: .free, count: capacity)
    }

    /// The address under which the signature is known; nil if it is not.
    func address(of entry: ReplayEntry) -> UInt64? {
        guard !places.isEmpty else { return nil }
        var place = start(entry)
        while places[place].address != 0 {
            if places[place].high == entry.high, places[place].low == entry.low { return places[place].address }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    /// Adds an entry that is not in the table.
    mutating func insert(_ entry: ReplayEntry) {
        if (count + 1) * 8 > places.count * 7 { grow() }
        put(entry)
        count += 1
    }

    private mutating func put(_ entry: ReplayEntry) {
        var place = start(entry)
        while places[place].address != 0 { place = (place + 1) & (places.count - 1) }
        places[place] = entry
    }

    private mutating func grow() {
        let old = places
        places = Array(repeating: .free, count: max(8, old.count * 2))
        for entry in old where entry.address != 0 { put(entry) }
    }

    /// Where the search begins; the number of places is a power of two.
    private func start(_ entry: ReplayEntry) -> Int {
        let seed = Self.seed
        let mixed = ((entry.high ^ seed) &* 0x9E37_79B9_7F4A_7C15) ^ (entry.low &* seed)
        return Int(truncatingIfNeeded: mixed >> 20) & (places.count - 1)
    }
}
