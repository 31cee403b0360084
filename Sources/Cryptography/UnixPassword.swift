internal import CCrypt

/// Password hashes of Unix hosts (crypt(5)), compared with a password.
package enum UnixPassword {
    /// Whether a stored hash is this password's; nil where that cannot be told: a form that is not known, a cost out of reason, no
    /// hash at all (`!`, `*`, empty).
    ///
    /// Takes as long as a login on the host that made the hash, so it does not belong on the cooperative pool.
    package static func matches(_ password: borrowing Secret, hash: [UInt8]) -> Bool? {
        guard isReasonable(hash) else { return nil }
        let isText = password.withBytes { !$0.contains(0) }
        guard isText else { return false }
        let phrase = Secret(capacity: password.count + 1) { place in
            password.withBytes { UnsafeMutableRawBufferPointer(place).copyBytes(from: $0) }
            place[place.count - 1] = 0
            return place.count
        }
        let size = MemoryLayout<crypt_data>.size
        let state = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer {
            ConstantTime.wipe(state)
            state.deallocate()
        }
        // All zeros is how crypt_rn(3) wants its memory the first time.
        state.initializeMemory(as: UInt8.self, repeating: 0)
        let setting = hash.map { CChar(bitPattern: $0) } + [0]
        return phrase.withBytes { phrase -> Bool? in
            guard let text = phrase.baseAddress?.assumingMemoryBound(to: CChar.self),
                let made = crypt_rn(text, setting, state.baseAddress, Int32(size))
            else { return nil }
            var count = 0
            while made[count] != 0 { count += 1 }
            let output = UnsafeRawBufferPointer(start: made, count: count)
            // "*0" and "*1" are how crypt(3) says that it could not.
            guard count > 2, output.first != UInt8(ascii: "*") else { return nil }
            return hash.withUnsafeBytes { ConstantTime.areEqual(output, $0) }
        }
    }

    /// A hash of a form and cost that a host would use, so that none makes us compute for hours or take all memory.
    static func isReasonable(_ hash: [UInt8]) -> Bool {
        guard (13...512).contains(hash.count), hash.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }) else {
            return false
        }
        let parts = String(decoding: hash, as: UTF8.self).split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].isEmpty else { return false }
        switch parts[1] {
        case "5", "6":
            guard parts[2].hasPrefix("rounds=") else { return true }
            return Int(parts[2].dropFirst("rounds=".count)).map { $0 <= 1_000_000 } ?? false
        case "2a", "2b", "2y": return Int(parts[2]).map { (4...14).contains($0) } ?? false
        case "1": return true
        // Flavour, then the logarithm of the memory cost, then the block size, a character each: at most 128 MiB.
        case "y", "gy":
            guard parts[2].count == 3, parts[2].hasPrefix("j"), let cost = parts[2].dropFirst().first else { return false }
            return "56789ABC".contains(cost) && (parts[2].last == "T" || parts[2].last == "5")
        default: return false
        }
    }
}
