package import API

/// What the product consists of, a line each: to add a resource is a new file and a line here.
package enum Catalog {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            AuthenticationResource.routes(backend),
            SettingsResource.routes(backend),
            OrganizationsResource.routes(backend),
            NodesResource.routes(backend),
            PlatformsResource.routes(backend),
            LabelsResource.routes(backend),
            AssetsResource.routes(backend),
        ].flatMap { $0 }
    }
}
