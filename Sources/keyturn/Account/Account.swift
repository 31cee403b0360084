internal import ArgumentParser

struct Account: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Accounts on assets, and their secrets.",
        discussion: "An account is named ASSET/ACCOUNT, which the last slash divides, or by its id.",
        subcommands: [
            AccountList.self, AccountCreate.self, AccountShow.self, AccountSetSecret.self, AccountReveal.self, AccountDelete.self,
            AccountRotate.self, AccountVerify.self, AccountPush.self,
        ])
}
