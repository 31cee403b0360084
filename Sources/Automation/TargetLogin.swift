internal import Connectors

/// A name and a secret at a target: `Credential` of the connectors, which is not the applications' `Credential`.
typealias TargetLogin = Connectors.Credential
