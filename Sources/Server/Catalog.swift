package import API
package import Connectors

/// What the product consists of, a line each: to add a resource is a new file and a line here.
package enum Catalog {
    package static func routes(_ backend: Backend, _ operational: OperationalAnswers) -> [Route] {
        let routes = resources(backend) + OperationalRoutes.routes(backend, operational)
        return routes + DocumentationResource.routes(describing: routes)
    }

    /// What can be worked on: a kind of target each.
    package static let connectors: [any Connector] = [
        LinuxConnector(),
        PostgreSQL(),
        MariaDB(),
        Redis(),
    ]

    private static func resources(_ backend: Backend) -> [Route] {
        [
            AuthenticationResource.routes(backend),
            SettingsResource.routes(backend),
            AccountsResource.routes(backend),
            AccountSecretsResource.routes(backend),
            KeptSecretsResource.routes(backend),
            AccountTasksResource.routes(backend),
            AutomationTasksResource.routes(backend),
            ExecutionsResource.routes(backend),
            RecordsResource.routes(backend),
            ApplicationsResource.routes(backend),
            CredentialsResource.routes(backend),
            ServiceAccessLogsResource.routes(backend),
            AuditLogsResource.routes(backend),
            OrganizationsResource.routes(backend),
            NodesResource.routes(backend),
            PlatformsResource.routes(backend),
            ZonesResource.routes(backend),
            LabelsResource.routes(backend),
            AssetsResource.routes(backend),
            AssetTrustsResource.routes(backend),
        ].flatMap { $0 }
    }
}
