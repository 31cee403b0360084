/// A thing that a principal may be allowed to do: `noun.verb`. None implies another.
package enum Permission: String, Sendable, CaseIterable, Hashable {
    case viewOrganization = "organization.view"
    case createOrganization = "organization.create"
    case changeOrganization = "organization.change"
    case deleteOrganization = "organization.delete"
    case viewNode = "node.view"
    case createNode = "node.create"
    case changeNode = "node.change"
    case deleteNode = "node.delete"
    case viewPlatform = "platform.view"
    case viewAsset = "asset.view"
    case createAsset = "asset.create"
    case changeAsset = "asset.change"
    case deleteAsset = "asset.delete"
    case viewZone = "zone.view"
    case createZone = "zone.create"
    case changeZone = "zone.change"
    case deleteZone = "zone.delete"
    case viewLabel = "label.view"
    case createLabel = "label.create"
    case changeLabel = "label.change"
    case deleteLabel = "label.delete"
    case viewAccount = "account.view"
    case createAccount = "account.create"
    case changeAccount = "account.change"
    case deleteAccount = "account.delete"
    /// Plaintext of an account's secret and of its history; not implied by any other.
    case revealAccount = "account.reveal"
    /// Setting an account's secret on its target: changes, restores, and the settling of both.
    case rotateAccount = "account.rotate"
    /// Creating an account on its target with the secret that it has or gets.
    case pushAccount = "account.push"
    /// A login at the target with the secret that is kept.
    case verifyAccount = "account.verify"
    /// Taking an account away from its target.
    case removeAccount = "account.remove"
    /// Forgetting which system an asset showed itself to be, so that another may take its place; not implied by any other.
    case clearHostKey = "hostkey.clear"
    case viewApplication = "application.view"
    case createApplication = "application.create"
    case changeApplication = "application.change"
    case deleteApplication = "application.delete"
    case viewAutomation = "automation.view"
    case createAutomation = "automation.create"
    case changeAutomation = "automation.change"
    case deleteAutomation = "automation.delete"
    /// Running tasks, and cancelling what runs.
    case runAutomation = "automation.run"
    case viewExecution = "execution.view"
    case viewRecord = "record.view"
    /// Setting failures aside.
    case changeRecord = "record.change"
    /// Putting an earlier secret back on its target.
    case restoreRecord = "record.restore"
    case testAsset = "asset.test"
    case viewAudit = "audit.view"
    case viewSetting = "setting.view"
    case changeSetting = "setting.change"
    case viewMetrics = "metrics.view"
    /// A secret fetch by an application itself, within its own policy.
    case fetchSecret = "secret.fetch"
    /// What every logged-in user may do for themselves: confirm, end the session.
    case ownSession = "session.own"
}
