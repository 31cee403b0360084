internal import ArgumentParser

/// What a push does about an account that is on the asset and here.
enum ExistingAccount: String, ExpressibleByArgument, CaseIterable {
    case nothing
    case updateAttributes = "update_attributes"
    case setSecret = "set_secret"

    static var help: ArgumentHelp {
        ArgumentHelp(
            "What a push does about an account that is there already.", valueName: "what")
    }
}
