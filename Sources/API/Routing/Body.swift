internal import Domain
internal import JSON

extension JSONValue {
    /// Reads this object's fields; whatever is wrong with them is one refusal that names each field.
    func fields<Value>(_ read: (JSONObjectReader) throws -> Value) throws -> Value {
        do {
            return try read(JSONObjectReader(self))
        } catch let errors as JSONFieldErrors {
            throw Refusal(errors)
        }
    }
}

extension JSONObjectReader {
    /// Lets pass what an answer shows and a client sends back unchanged.
    func ignoreReadOnly(of schema: Schema) {
        for field in schema.fields where field.access == .readOnly { ignore(field.name) }
    }
}
