package import Connectors
package import Domain

/// Which kinds of secret can be worked on at which platforms: what the connectors that are built in say.
package struct PlatformAbilities: Sendable {
    private let secretTypes: [String: Set<SecretType>]

    package init(_ connectors: [any Connector]) {
        secretTypes = connectors.reduce(into: [:]) { types, connector in
            for type in connector.platformTypes { types[type, default: []].formUnion(connector.secretTypes) }
        }
    }

    package init(secretTypes: [String: Set<SecretType>]) { self.secretTypes = secretTypes }

    /// Nil where nothing can work on the platform.
    package func secretTypes(of platform: Platform.ID) -> Set<SecretType>? {
        Platform.named(platform).flatMap { secretTypes[$0.type] }
    }
}
