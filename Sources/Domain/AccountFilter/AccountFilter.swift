/// Which accounts an application may see: all, a list of ids, or those for which every rule holds.
///
/// The wire form is JumpServer's `{"type":"all"}`, `{"type":"ids","ids":[…]}`, `{"type":"attrs","attrs":[{"name","match","value","rel"}]}`.
/// A value of this type is valid as a whole: what could not be evaluated later was refused when it was read.
package struct AccountFilter: Sendable, Equatable {
    package enum Selection: Sendable, Equatable {
        case all
        case ids([AccountID])
        /// Every rule must hold.
        case attributes([AccountRule])
    }

    package static let maximumRules = 1_000
    /// Ids in one list, or values in one rule.
    package static let maximumValues = 10_000

    package let selection: Selection

    init(_ selection: Selection) {
        self.selection = selection
    }

    package static let all = AccountFilter(.all)
}

/// One condition on an account.
package struct AccountRule: Sendable, Equatable {
    /// The field as the client named it; several names may mean the same.
    package let name: String
    package let field: AccountFilterField
    package let match: AccountMatch
    package let value: AccountRuleValue
}

/// What a rule compares with, in the form in which it is written back.
package enum AccountRuleValue: Sendable, Equatable {
    /// `"*"` with `exact` or `in`: holds for every account.
    case anything(isList: Bool)
    case flag(Bool)
    case text(String)
    case texts([String])
    /// Platform ids, from numbers or names.
    case platforms([Platform.ID], isList: Bool)
    /// Ids of assets, labels or nodes.
    case ids([UntypedID], isList: Bool)

    /// An id whose entity follows from the rule's field.
    package typealias UntypedID = Identifier<AccountRule>
}

/// How a rule compares.
package enum AccountMatch: String, Sendable, CaseIterable {
    case exact, not, `in`, contains, startswith, endswith
    case gte, lte, gt, lt
    case addressIn = "ip_in"
    case anyOf = "m2m"
    case allOf = "m2m_all"
}

/// Why a filter is refused; the message names the rule, the field or the operator, never a value.
package struct AccountFilterFault: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// A name from outside as it may be repeated: only if it looks like one.
    static func quoted(_ name: String) -> String {
        let isPlain =
            (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x5F }
        return isPlain ? "'\(name)'" : "(not a name)"
    }
}
