internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON

/// What all answers have in common that show people the secrets of accounts: written into memory that is wiped once it was sent.
enum SecretAnswer {
    typealias Writer = JSONWriter<SensitiveBuffer>

    /// Values that one answer carries at most.
    static let largest = 200
    /// What stands for a secret where the site shows them to nobody (JumpServer's text).
    private static let redacted = "<REDACTED>"

    /// One object.
    static func one(_ write: (inout Writer) throws(Refusal) -> Void) throws(Refusal) -> Reply {
        var writer = JSONWriter(into: SensitiveBuffer(capacity: 1024))
        writer.beginObject()
        try write(&writer)
        writer.endObject()
        return try finished(writer)
    }

    /// A list of objects, paged as `Reply.list` pages.
    static func list<Row>(
        _ rows: [Row], total: Int, page: Page, call: Call, _ write: (Row, inout Writer) throws(Refusal) -> Void
    ) throws(Refusal) -> Reply {
        var writer = JSONWriter(into: SensitiveBuffer(capacity: 4096))
        if let limit = page.limit {
            writer.beginObject()
            writer.field("count", total)
            let step = min(limit, largest)
            writer.field("next", page.link(call, offset: page.offset + step, if: step > 0 && page.offset + step < total))
            writer.field("previous", page.link(call, offset: max(0, page.offset - step), if: step > 0 && page.offset > 0))
            writer.key("results")
        }
        writer.beginArray()
        for row in rows {
            writer.beginObject()
            try write(row, &writer)
            writer.endObject()
        }
        writer.endArray()
        if page.limit != nil { writer.endObject() }
        return try finished(writer)
    }

    /// The secret itself; null where there is none.
    static func write(_ name: String, _ secret: SecretHandoff?, isRedacted: Bool, to writer: inout Writer) throws(Refusal) {
        writer.key(name)
        if isRedacted { return writer.string(redacted) }
        guard let secret else { return writer.null() }
        guard let secret = secret.take() else { throw .unavailable("The secret was taken already.") }
        secret.withBytes { writer.string(utf8: $0) }
    }

    private static func finished(_ writer: Writer) throws(Refusal) -> Reply {
        guard writer.sink.isComplete else { throw .unavailable("out of memory") }
        return .sensitive(status: 200, writer.sink)
    }
}

extension Page {
    /// Refuses to answer a part of a list of secrets as if it were the whole.
    func requireWhole(ofSecrets total: Int64) throws(Refusal) {
        guard limit == nil, total > Int64(SecretAnswer.largest) else { return }
        throw .invalid("limit", "There are \(total) values: ask for them in pages, with limit and offset.")
    }
}
