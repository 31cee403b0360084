package import API

/// What the product consists of, a line each: to add a resource is a new file and a line here.
package enum Catalog {
    package static func routes(_ backend: Backend, _ operational: OperationalAnswers) -> [Route] {
        [
            AuthenticationResource.routes(backend),
            SettingsResource.routes(backend),
            OperationalRoutes.routes(backend, operational),
        ].flatMap { $0 }
    }
}
