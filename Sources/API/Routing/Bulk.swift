internal import Access
internal import Domain
internal import JSON
internal import Storage

/// Creating many things with one request: an array as the body.
///
/// The things are made a chunk at a time, each chunk in one short transaction and with an audit entry that names all of it, so that neither
/// fetches wait for a large import nor anything is made without its name on the record.
enum Bulk {
    /// Elements that one request takes.
    static let largest = 1000
    /// Things made in one transaction: as many as an audit entry names.
    static let chunk = 64
}

extension Call {
    /// Reads a body that is an array of objects; what is wrong with an element stands under its place, `3.name`. Nil if it is no array.
    func bodies<Value>(_ read: (JSONObjectReader) throws -> Value) throws -> [Value]? {
        let json = try json()
        guard let elements = json.array else { return nil }
        guard (1...Bulk.largest).contains(json.count) else {
            throw Refusal.malformed("Expected 1 to \(Bulk.largest) elements in one request.")
        }
        var wrong: [String: [String]] = [:]
        var values: [Value] = []
        for (place, element) in elements.enumerated() {
            do {
                values.append(try read(JSONObjectReader(element)))
            } catch let errors as JSONFieldErrors {
                for entry in errors.entries { wrong["\(place).\(entry.field)"] = entry.messages }
            }
            // A long list of bad elements needs no equally long answer.
            if wrong.count >= 50 { break }
        }
        guard wrong.isEmpty else { throw Refusal.invalid(wrong) }
        return values
    }
}

extension Backend {
    /// Makes each item under a permit of its chunk, and returns what was made.
    ///
    /// `isList` tells whether the body was an array: then messages stand under the places in it.
    /// `also` names what was made besides the items.
    /// A chunk is made as a whole or not at all. When one is refused, the earlier ones stay, and the refusal tells how many were made.
    func create<Item: Sendable, Value: Sendable>(
        _ permission: Permission, _ call: Call, _ items: [Item], isList: Bool, object: (Item) -> AuditObject,
        also: (Value) -> [AuditObject] = { _ in [] }, _ body: @escaping @Sendable (Transaction, Item) throws -> Value
    ) async throws -> [Value] {
        var made: [Value] = []
        made.reserveCapacity(items.count)
        var pace = Pace(audit)
        while made.count < items.count {
            let start = made.count
            if start > 0 { await pace.rest() }
            let chunk = items[start..<min(items.count, start + Bulk.chunk)]
            let origin = call.origin.part(start / Bulk.chunk)
            let objects = chunk.map(object)
            made += try await gate.change(permission, as: call.principal(), in: call.organization, from: origin, objects: objects)
            { _ in
                let values = try await write(marking: origin.request) { transaction in
                    try chunk.enumerated().map { place, item in
                        do {
                            return try body(transaction, item)
                        } catch Refusal.invalid(let fields) where isList {
                            throw Refusal.invalid(Bulk.messages(fields, of: start + place, made: start))
                        }
                    }
                }
                return .init(values, objects: objects + values.flatMap(also))
            }
        }
        return made
    }
}

extension Bulk {
    /// What is wrong with the element at a place, when so many before it were made.
    static func messages(_ fields: [String: [String]], of place: Int, made: Int) -> [String: [String]] {
        var messages = Dictionary(uniqueKeysWithValues: fields.map { ("\(place).\($0.key)", $0.value) })
        if made > 0 { messages[JSONFieldErrors.wholeBody, default: []].append("The first \(made) elements were created.") }
        return messages
    }
}

extension RequestOrigin {
    /// The origin of one part of a request that does its work in parts, each with a change mark of its own: the first part is the request
    /// itself, the others share the second half of its id.
    func part(_ number: Int) -> RequestOrigin {
        RequestOrigin(
            request: Domain.RequestID(high: request.high &+ UInt64(truncatingIfNeeded: number), low: request.low),
            address: address,
            received: received)
    }
}

extension Reply {
    /// What was created: the one thing, or all of them where the body was an array.
    static func created<Row>(_ rows: [Row], isList: Bool, _ write: (Row, inout JSONWriter<[UInt8]>) -> Void) -> Reply {
        var writer = JSONWriter()
        if isList { writer.beginArray() }
        for row in rows { writer.object { write(row, &$0) } }
        if isList { writer.endArray() }
        return .json(status: 201, writer.bytes)
    }
}
