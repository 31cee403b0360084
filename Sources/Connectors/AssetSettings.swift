/// The asset's own settings, read the same by every connector.
extension Target {
    /// Whether a yes-or-no setting is on.
    func isOn(_ name: String) -> Bool {
        ["true", "1", "yes", "on"].contains(specific[name]?.lowercased() ?? "")
    }

    /// A setting with something in it.
    func setting(_ name: String) -> String? {
        specific[name].flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
    }
}
