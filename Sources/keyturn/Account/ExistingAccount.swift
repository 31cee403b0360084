internal import ArgumentParser

/// What a push does about an account that is on the asset and here.
enum ExistingAccount: String, ExpressibleByArgument, CaseIterable {
    case nothing
    case updateAttributes = "update_attributes"
    case setSecret = "set_secret"

    static let help = ArgumentHelp(
        "What a push does about an account that is there already: nothing, update_attributes or set_secret.", valueName: "what")
}
