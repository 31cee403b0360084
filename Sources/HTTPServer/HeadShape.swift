import Glibc

/// Where a request's head lies in libmicrohttpd's buffer, and whether it is written as RFC 9112 wants it.
///
/// The library reads tolerantly: a NUL ends a value for it, a bare line feed ends a line, a line that begins with a blank goes on with
/// the one before. What another server would read differently must not be taken (RFC 9112, 2.2 and 5.2). It puts zeros in place of what
/// separates the parts and moves nothing, so the gaps between the parts tell what stood there. That is not documented: `SelfTest`
/// looks at start whether it is so.
struct HeadShape {
    /// Addresses, which are only compared.
    let method: UInt
    let target: UInt
    let version: UInt
    /// One behind the empty line.
    let end: UInt

    /// The empty line and the ends of lines: CR LF each.
    private static let lineEnd: UInt = 2

    init(method: UnsafePointer<CChar>, target: UInt, version: UnsafePointer<CChar>, byteCount: Int) {
        self.method = UInt(bitPattern: method)
        self.target = target
        self.version = UInt(bitPattern: version)
        end = self.method &+ UInt(bitPattern: byteCount)
    }

    /// - Parameters:
    ///   - targetCount: bytes of the raw target.
    ///   - methodCount: bytes of the method.
    func isStrict(methodCount: Int, targetCount: Int, headers: borrowing HeaderTable) -> Bool {
        guard target == method &+ UInt(bitPattern: methodCount) &+ 1,
            version == target &+ UInt(bitPattern: targetCount) &+ 1
        else { return false }
        // `HTTP/1.1`: the library takes no version of another length.
        var next = version &+ 8 &+ Self.lineEnd
        for index in 0..<headers.count {
            let field = headers[index]
            guard let value = field.value.baseAddress, UInt(bitPattern: field.name.baseAddress) == next,
                !Self.hasControl(field.value)
            else { return false }
            next = UInt(bitPattern: value) &+ UInt(bitPattern: field.value.count) &+ Self.lineEnd
        }
        return next &+ Self.lineEnd == end
    }

    /// Whether a value has a control character other than the tab (RFC 9110, 5.5). Eight bytes at a time, since every request passes here.
    static func hasControl(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var index = 0
        while index &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // The top bit of a byte below 0x20, or of one that is 0x7F; it may also be set in a byte behind such a one.
            let below = (word &- ones &* 0x20) & ~word
            let delete = word ^ ones &* 0x7f
            let found = (below | ((delete &- ones) & ~delete)) & tops
            if found != 0, hasControl(bytes, index..<index &+ 8) { return true }
            index &+= 8
        }
        return hasControl(bytes, index..<bytes.count)
    }

    private static func hasControl(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        for index in range where (bytes[index] < 0x20 && bytes[index] != 0x09) || bytes[index] == 0x7f { return true }
        return false
    }
}
