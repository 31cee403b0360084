internal import CCrypto

/// scrypt (RFC 7914): a key from a password, at a cost in memory and time that the parameters set.
package struct Scrypt: Sendable, Equatable {
    /// CPU and memory cost, a power of two.
    package let cost: UInt64
    /// Block size; memory is 128 × cost × blockSize bytes.
    package let blockSize: UInt64
    package let parallelism: UInt64

    package init(cost: UInt64, blockSize: UInt64, parallelism: UInt64) {
        self.cost = cost
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// For passwords that people choose: 64 MiB, about 0.15 s on a server of 2025.
    package static let interactive = Scrypt(cost: 1 << 16, blockSize: 8, parallelism: 1)

    /// No parameters beyond this are run, whoever stored them: 1 GiB.
    private static let memoryLimit: UInt64 = 1 << 30

    package func derive(from password: UnsafeRawBufferPointer, salt: [UInt8], count: Int = 32) throws(CryptographyFault) -> Secret
    {
        let (blocks, overflow) = cost.multipliedReportingOverflow(by: blockSize)
        guard !overflow, blocks > 0, blocks <= Self.memoryLimit / 128, (1...16).contains(parallelism), (1...1024).contains(count)
        else {
            throw .badInput("scrypt parameters out of range")
        }
        return try Secret(capacity: count) { (buffer) throws(CryptographyFault) in
            // An empty password is passed as a pointer to nothing, since nil means "check the parameters only".
            let pass = password.baseAddress?.assumingMemoryBound(to: CChar.self)
            let empty: [CChar] = [0]
            let code = empty.withUnsafeBufferPointer { empty in
                EVP_PBE_scrypt(
                    pass ?? empty.baseAddress, password.count, salt, salt.count, cost, blockSize, parallelism,
                    Self.memoryLimit + (1 << 20), buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count)
            }
            try check(code, "EVP_PBE_scrypt")
            return count
        }
    }
}
