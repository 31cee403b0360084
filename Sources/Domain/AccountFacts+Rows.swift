extension AccountFacts {
    /// What a filter may ask of an account, from its row and its asset's.
    package init(_ account: Account, on asset: Asset) {
        let platform = Platform.named(asset.platform)
        self.init(
            id: account.id, name: account.name, username: account.username, secretType: account.secretType,
            isPrivileged: account.privileged, isActive: account.isActive, labels: account.labels, asset: asset.id, assetName: asset.name,
            address: asset.address, platform: asset.platform, platformName: platform?.name ?? "",
            category: platform?.category.rawValue ?? "", type: platform?.type ?? "", nodes: asset.nodes)
    }
}
