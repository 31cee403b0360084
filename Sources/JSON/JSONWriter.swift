/// Writes a JSON text into a sink; commas come by themselves, and closures keep brackets balanced.
///
///     var writer = JSONWriter()
///     writer.object {
///         $0.field("name", "web-1")
///         $0.key("ports").array { $0.int(22) }
///     }
package struct JSONWriter<Sink: JSONSink> {
    /// What was written so far.
    package var sink: Sink
    @usableFromInline var needsComma = false

    @inlinable
    package init(into sink: Sink) {
        self.sink = sink
    }
}

extension JSONWriter where Sink == [UInt8] {
    package init() {
        self.init(into: [])
    }

    package var bytes: [UInt8] { sink }
}

// MARK: - Containers

extension JSONWriter {
    @inlinable
    package mutating func object<E: Error>(_ members: (inout JSONWriter) throws(E) -> Void) throws(E) {
        begin(UInt8(ascii: "{"))
        try members(&self)
        end(UInt8(ascii: "}"))
    }

    @inlinable
    package mutating func array<E: Error>(_ elements: (inout JSONWriter) throws(E) -> Void) throws(E) {
        begin(UInt8(ascii: "["))
        try elements(&self)
        end(UInt8(ascii: "]"))
    }

    /// For texts that are written piece by piece, such as an export; each needs its `endObject` or `endArray`.
    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    @usableFromInline
    mutating func begin(_ bracket: UInt8) {
        separate()
        sink.append(bracket)
        needsComma = false
    }

    @usableFromInline
    mutating func end(_ bracket: UInt8) {
        sink.append(bracket)
        needsComma = true
    }

    @inlinable
    mutating func separate() {
        if needsComma { sink.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}

// MARK: - Values

extension JSONWriter {
    /// The key of the member whose value is written next.
    @inlinable
    package mutating func key(_ name: String) {
        string(name)
        sink.append(UInt8(ascii: ":"))
        needsComma = false
    }

    @inlinable
    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// A string from its bytes, which must be UTF-8; the way for secrets.
    @inlinable
    package mutating func string(utf8 text: UnsafeRawBufferPointer) {
        separate()
        sink.append(UInt8(ascii: "\""))
        JSONEscape.write(text, to: &sink)
        sink.append(UInt8(ascii: "\""))
    }

    package mutating func int(_ value: some BinaryInteger) {
        literal(String(value))
    }

    /// A number; not-a-number and infinities, which JSON lacks, become null.
    package mutating func double(_ value: Double) {
        literal(value.isFinite ? String(value) : "null")
    }

    package mutating func bool(_ value: Bool) {
        literal(value ? "true" : "false")
    }

    package mutating func null() {
        literal("null")
    }

    /// A value that is JSON already, copied as it is.
    package mutating func raw(_ json: UnsafeRawBufferPointer) {
        separate()
        sink.append(json)
    }

    package mutating func raw(_ json: [UInt8]) {
        json.withUnsafeBytes { raw($0) }
    }

    /// A value of another document, as it stands there.
    package mutating func value(_ value: JSONValue) {
        value.withRawText { raw($0) }
    }

    private mutating func literal(_ text: String) {
        var text = text
        text.withUTF8 { raw(UnsafeRawBufferPointer($0)) }
    }
}

// MARK: - Members in one line

extension JSONWriter {
    /// A string member; nil is written as null.
    package mutating func field(_ name: String, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    package mutating func field(_ name: String, _ value: (some BinaryInteger)?) {
        key(name)
        if let value { int(value) } else { null() }
    }

    package mutating func field(_ name: String, _ value: Bool?) {
        key(name)
        if let value { bool(value) } else { null() }
    }

    package mutating func field(_ name: String, _ value: JSONValue) {
        key(name)
        self.value(value)
    }

    package mutating func field(_ name: String, _ values: some Sequence<String>) {
        array(name) { for value in values { $0.string(value) } }
    }

    package mutating func object<E: Error>(
        _ name: String, _ members: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        key(name)
        try object(members)
    }

    package mutating func array<E: Error>(
        _ name: String, _ elements: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        key(name)
        try array(elements)
    }
}
