internal import Domain

/// How the refusal of a request that no gate has seen yet is worded for the audit.
///
/// Names of fields come from the client where they are unknown, and a client that errs may send a secret in their place: only names
/// that the operation has are written down.
struct RefusalWording: Sendable {
    private let known: Set<String>

    init(_ route: Route) {
        known = Set(route.request?.fields.map(\.name) ?? [])
    }

    func callAsFunction(_ refusal: Refusal) -> String {
        guard case .invalid(let fields) = refusal else { return refusal.auditReason }
        var named: [String] = []
        var unknown = 0
        for field in fields.keys.sorted() {
            // `3.name` is a field of the fourth element of a list.
            let name = field.split(separator: ".").first { Int($0) == nil }.map { String($0) } ?? field
            if known.contains(name) {
                if !named.contains(name) { named.append(name) }
            } else {
                unknown += 1
            }
        }
        let rest = unknown == 0 ? [] : [unknown == 1 ? "another field" : "\(unknown) other fields"]
        return "invalid: " + (named + rest).joined(separator: ", ")
    }
}
