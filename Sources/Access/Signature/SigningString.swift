/// The text that a signature covers: one line `name: value` for each signed header, in the order of the list.
///
/// It is built into memory that a loop keeps and uses again.
package enum SigningString {
    package static let maximumBytes = 64 << 10

    /// Replaces `scratch` with the text.
    ///
    /// - `method` is lower-cased, `target` is the raw request target as received.
    /// - `value` gives the value of a header by its lower-cased name, without white space around it; nil for one that is absent.
    package static func build(
        into scratch: inout [UInt8], method: UnsafeRawBufferPointer, target: UnsafeRawBufferPointer, names: SignedNames,
        value: (UnsafeRawBufferPointer) -> UnsafeRawBufferPointer?
    ) throws(SignatureFault) {
        scratch.removeAll(keepingCapacity: true)
        var count = 0
        for name in names {
            count += 1
            guard count <= SignatureHeader.maximumNames else { throw .tooManyHeaders }
            if count > 1 { scratch.append(UInt8(ascii: "\n")) }
            let start = scratch.count
            appendLowercased(name, to: &scratch)
            let end = scratch.count
            scratch.append(UInt8(ascii: ":"))
            scratch.append(0x20)
            if name.equalsIgnoringCase("(request-target)") {
                appendLowercased(method, to: &scratch)
                scratch.append(0x20)
                scratch.append(contentsOf: target)
            } else {
                let found = scratch.withUnsafeBytes { value(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
                guard let found else { throw .signedHeaderMissing }
                scratch.append(contentsOf: found)
            }
            guard scratch.count <= maximumBytes else { throw .tooLong }
        }
    }

    private static func appendLowercased(_ bytes: UnsafeRawBufferPointer, to scratch: inout [UInt8]) {
        for byte in bytes { scratch.append(byte.asciiLowercased) }
    }
}
