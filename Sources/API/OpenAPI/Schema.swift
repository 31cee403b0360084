/// What a JSON object of the API looks like: its fields with types and limits, for the description of the API and the tests against it.
package struct Schema: Sendable {
    package struct Field: Sendable {
        package enum Kind: Sendable {
            case text(max: Int)
            /// Accepted, never returned.
            case secret(max: Int)
            case integer
            case number
            case boolean
            case uuid
            case dateTime
            case choice([String])
            /// `{"id","name"}` of something else; accepts an id too.
            case related
            case list(of: [Field])
            case texts
            case anyObject
        }

        package let name: String
        package let kind: Kind
        package let access: Access
        package let summary: String

        package enum Access: Sendable, Equatable { case required, optional, readOnly, writeOnly }
    }

    package let name: String
    package let fields: [Field]

    package init(_ name: String, _ fields: [Field]) {
        self.name = name
        self.fields = fields
    }
}

extension Schema.Field {
    package static func field(_ name: String, _ kind: Kind, _ access: Access = .optional, _ summary: String = "") -> Self {
        Self(name: name, kind: kind, access: access, summary: summary)
    }
}
