/// What filters may look at of one account and its asset.
///
/// `labels` and `nodes` may be left empty where the filter's `needs` does not name them.
package struct AccountFacts: Sendable {
    package var account: AccountID
    package var name: String
    package var username: String
    package var secretType: SecretType
    package var privileged: Bool
    package var isActive: Bool
    package var labels: [LabelID]
    package var asset: AssetID
    package var assetName: String
    package var address: String
    /// Category and type follow from it.
    package var platform: Platform.ID
    /// The nodes that hold the asset itself.
    package var nodes: [NodeID]

    package init(
        account: AccountID, name: String, username: String, secretType: SecretType, privileged: Bool, isActive: Bool,
        labels: [LabelID] = [], asset: AssetID, assetName: String, address: String, platform: Platform.ID, nodes: [NodeID] = []
    ) {
        self.account = account
        self.name = name
        self.username = username
        self.secretType = secretType
        self.privileged = privileged
        self.isActive = isActive
        self.labels = labels
        self.asset = asset
        self.assetName = assetName
        self.address = address
        self.platform = platform
        self.nodes = nodes
    }

    package init(_ account: Account, on asset: Asset) {
        self.init(
            account: account.id, name: account.name, username: account.username, secretType: account.secretType,
            privileged: account.privileged, isActive: account.isActive, labels: account.labels, asset: asset.id,
            assetName: asset.name, address: asset.address, platform: asset.platform, nodes: asset.nodes)
    }
}
