package import Domain

/// A value bound to a statement.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])
    /// 128 bits: a blob of 16 bytes in SQLite.
    case uuid(high: UInt64, low: UInt64)
}

extension SQLValue {
    package static func id<Entity>(_ id: Identifier<Entity>) -> SQLValue { .uuid(high: id.high, low: id.low) }

    package static func id<Entity>(_ id: Identifier<Entity>?) -> SQLValue {
        id.map { .uuid(high: $0.high, low: $0.low) } ?? .null
    }

    /// Milliseconds since 1970.
    package static func time(_ moment: Timestamp) -> SQLValue { .integer(moment.milliseconds) }

    package static func time(_ moment: Timestamp?) -> SQLValue { moment.map { .integer($0.milliseconds) } ?? .null }

    /// 0 or 1.
    package static func flag(_ flag: Bool) -> SQLValue { .integer(flag ? 1 : 0) }

    package static func integer(_ number: Int64?) -> SQLValue { number.map { .integer($0) } ?? .null }

    package static func text(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }

    package static func blob(_ bytes: [UInt8]?) -> SQLValue { bytes.map { .blob($0) } ?? .null }

    package static func sealed(_ sealed: Sealed) -> SQLValue { .blob(sealed.bytes) }

    package static func sealed(_ sealed: Sealed?) -> SQLValue { sealed.map { .blob($0.bytes) } ?? .null }
}
