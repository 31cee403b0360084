package import JSON

extension BoundedBytes {
    /// The 36 characters of the text form.
    package mutating func append<Entity>(_ id: Identifier<Entity>) {
        guard let place = take(36) else { return }
        id.write(to: place)
    }

    /// The text form of an address.
    package mutating func append(_ address: IPAddress) {
        guard address.family == .v4 else {
            var text = address.description
            return text.withUTF8 { append(raw: UnsafeRawBufferPointer($0)) }
        }
        for octet: UInt64 in 0..<4 {
            if octet > 0 { append("." as StaticString) }
            append(Int64(address.low >> (24 - 8 * octet) & 0xFF))
        }
    }
}
