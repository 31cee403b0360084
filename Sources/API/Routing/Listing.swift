package import Domain
internal import HTTPServer
package import JSON

/// The page of a list that a client asks for, in JumpServer's conventions: `limit` and `offset`, `search` or `q`, `order`.
package struct Page: Sendable {
    /// Nil: everything at once, as a bare array.
    package let limit: Int?
    package let offset: Int
    package let search: String?
    /// Field names, `-` before a descending one, as given.
    package let order: [String]

    /// Rows that one answer carries at most, asked for or not.
    package static let largest = 1000

    package init(_ query: Query) throws(Refusal) {
        limit = try query.integer("limit", in: 0...Int.max).map { min($0, Self.largest) }
        // Bounded, so that the places of neighbouring pages can be reckoned.
        offset = min(try query.integer("offset", in: 0...Int.max) ?? 0, 1 << 40)
        let text = query.text("search") ?? query.text("q")
        if let text, text.utf8.count > 256 { throw .invalid("search", "Ensure this field has no more than 256 characters.") }
        search = text
        order = (query.text("order") ?? query.text("ordering"))?.split(separator: ",").prefix(5).map { String($0) } ?? []
    }

    /// Rows to read.
    package var rows: Int { limit.flatMap { $0 == 0 ? nil : $0 } ?? Self.largest }
}

extension Reply {
    /// A list: a bare array without `limit`, else `{count,next,previous,results}`.
    ///
    /// - Parameters:
    ///   - isComplete: whether `total` counts everything that there is; if not, a page says so.
    ///   - damaged: how many rows of the page are left out.
    package static func list<Row>(
        _ rows: [Row], total: Int, page: Page, call: Call, isComplete: Bool = true, damaged: Int = 0,
        _ write: (Row, inout JSONWriter<[UInt8]>) -> Void
    ) -> Reply {
        var writer = JSONWriter()
        func writeRows(_ writer: inout JSONWriter<[UInt8]>) {
            writer.array { writer in for row in rows { write(row, &writer) } }
        }
        guard let limit = page.limit else {
            // More than one answer can carry: the client must page, and is told so rather than given a part.
            writeRows(&writer)
            return .json(status: 200, writer.bytes)
        }
        writer.beginObject()
        writer.field("count", total)
        writer.field("next", page.link(call, offset: page.offset + limit, if: limit > 0 && page.offset + limit < total))
        writer.field("previous", page.link(call, offset: max(0, page.offset - limit), if: limit > 0 && page.offset > 0))
        if !isComplete { writer.field("is_complete", false) }
        if damaged > 0 { writer.field("damaged", damaged) }
        writer.key("results")
        writeRows(&writer)
        writer.endObject()
        return .json(status: 200, writer.bytes)
    }
}

extension Page {
    /// The target of a neighbouring page, relative to the host; nil at an end.
    func link(_ call: Call, offset: Int, if exists: Bool) -> String? {
        guard exists, let path = String(validating: call.request.rawPath, as: UTF8.self) else { return nil }
        let kept = call.request.rawQuery.split(separator: UInt8(ascii: "&")).compactMap { String(validating: $0, as: UTF8.self) }
            .filter { !$0.hasPrefix("offset=") }
        return path + "?" + (kept + ["offset=\(offset)"]).joined(separator: "&")
    }
}
