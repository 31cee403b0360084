@testable import Cryptography

/// Bytes from hexadecimal digits, as test vectors are printed; what is no digit pair ends the bytes, so a typing error fails its test.
func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Substring(text)
    while rest.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) {
        bytes.append(byte)
        rest = rest.dropFirst(2)
    }
    return bytes
}

extension Secret {
    init(_ bytes: [UInt8]) {
        var bytes = bytes
        self.init(moving: &bytes)
    }

    /// A copy to compare with; only tests may make one.
    borrowing func copy() -> [UInt8] {
        withBytes { Array($0) }
    }
}
