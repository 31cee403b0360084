internal import Domain

/// Writes the stored form of an entry: one line of JSON, fields in a fixed order, absent ones left out.
///
/// The same entry always has the same bytes; they are what the chain covers. By hand, because every fetch of a secret pays for it.
struct EntryWriter {
    /// The form below; a reader of a later form still reads this one.
    static let version: Int64 = 1

    /// Appends the body of an entry to `bytes`.
    static func write(_ entry: borrowing AuditEntry, to bytes: inout [UInt8]) {
        bytes.append("{\"v\":")
        bytes.append(number: version)
        bytes.append(",\"time\":")
        bytes.append(number: entry.time.milliseconds)
        bytes.append(",\"phase\":\"")
        bytes.append(plain: entry.phase.rawValue)
        bytes.append("\",\"actor\":")
        write(entry.actor, to: &bytes)
        if !entry.address.isEmpty { bytes.append(",\"address\":", text: entry.address, limit: EntryLimits.address) }
        if let organization = entry.organization { bytes.append(",\"organization\":", id: organization) }
        bytes.append(",\"action\":", text: entry.action.rawValue, limit: EntryLimits.action)
        if !entry.objects.isEmpty { write(entry.objects, to: &bytes) }
        bytes.append(",\"outcome\":\"")
        bytes.append(plain: entry.outcome.rawValue)
        bytes.append("\"")
        if !entry.reason.isEmpty { bytes.append(",\"reason\":", text: entry.reason, limit: EntryLimits.reason) }
        bytes.append(",\"request\":", id: entry.request)
        if let latency = entry.latency { bytes.append(",\"latency\":", number: latency) }
        if let version = entry.version { bytes.append(",\"version\":", number: version) }
        if entry.count != 1 { bytes.append(",\"count\":", number: entry.count) }
        bytes.append("}")
    }

    static func write(_ actor: Actor, to bytes: inout [UInt8]) {
        bytes.append("{\"kind\":\"")
        bytes.append(plain: actor.kind)
        bytes.append("\"")
        switch actor {
        case .user(let id, _): bytes.append(",\"id\":", id: id)
        case .application(let id, _, let credential):
            bytes.append(",\"id\":", id: id)
            bytes.append(",\"credential\":", id: credential)
        case .system, .operatorLocal, .anonymous: break
        }
        let name = actor.name
        if !name.isEmpty { bytes.append(",\"name\":", text: name, limit: EntryLimits.name) }
        bytes.append("}")
    }

    static func write(_ objects: [AuditObject], to bytes: inout [UInt8]) {
        bytes.append(",\"objects\":[")
        var isFirst = true
        for object in objects.prefix(EntryLimits.objects) {
            bytes.append(isFirst ? "{\"kind\":" : ",{\"kind\":", text: object.kind, limit: EntryLimits.objectKind)
            isFirst = false
            bytes.append(",\"id\":", text: object.id, limit: EntryLimits.objectID)
            if !object.name.isEmpty { bytes.append(",\"name\":", text: object.name, limit: EntryLimits.name) }
            bytes.append("}")
        }
        bytes.append("]")
        let omitted = objects.count - EntryLimits.objects
        if omitted > 0 { bytes.append(",\"objects_omitted\":", number: Int64(omitted)) }
    }
}

// MARK: - Pieces of JSON

extension [UInt8] {
    fileprivate mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }

    /// Text of our own that needs no escape.
    fileprivate mutating func append(plain text: String) {
        var text = text
        text.withUTF8 { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ key: StaticString, number: Int64) {
        append(key)
        append(number: number)
    }

    fileprivate mutating func append<Entity>(_ key: StaticString, id: Identifier<Entity>) {
        append(key)
        append(UInt8(ascii: "\""))
        withUnsafeTemporaryAllocation(byteCount: 36, alignment: 1) { buffer in
            id.write(to: buffer)
            append(contentsOf: UnsafeRawBufferPointer(buffer))
        }
        append(UInt8(ascii: "\""))
    }

    fileprivate mutating func append(_ key: StaticString, text: String, limit: Int) {
        append(key)
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            let kept = UnsafeBufferPointer(rebasing: utf8.prefix(EntryLimits.prefixLength(of: utf8, limit: limit)))
            if kept.contains(where: Self.needsEscape) {
                for byte in kept { append(escaping: byte) }
            } else {
                append(contentsOf: kept)
            }
        }
        append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func append(escaping byte: UInt8) {
        guard Self.needsEscape(byte) else { return append(byte) }
        append(UInt8(ascii: "\\"))
        guard byte < 0x20 else { return append(byte) }
        append("u00")
        append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
        let low = byte & 15
        append(low < 10 ? 48 + low : 87 + low)
    }

    fileprivate mutating func append(number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var rest = number.magnitude
            var start = digits.count
            repeat {
                start -= 1
                digits[start] = 48 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0 && start > 0
            append(contentsOf: digits[start...])
        }
    }
}
