internal import API
internal import Access
internal import Domain
internal import HTTPServer

/// Health and metrics on the main listener: for logged-in callers only.
enum OperationalRoutes {
    static func routes(_ backend: Backend, _ answers: OperationalAnswers) -> [Route] {
        [
            Route(.get, "/healthz", .permission(.viewMetrics), "Whether the server lives") {
                try await reply($0, backend) { answers.liveness }
            },
            Route(.get, "/readyz", .permission(.viewMetrics), "Whether the server can grant requests, and if not, why") {
                try await reply($0, backend) { answers.readiness }
            },
            Route(.get, "/metrics", .permission(.viewMetrics), "Numbers of the server, as Prometheus reads them") {
                try await reply($0, backend) { answers.exposition }
            },
        ]
    }

    private static func reply(
        _ call: Call, _ backend: Backend, _ answer: @Sendable () -> OperationalAnswers.Answer
    ) async throws -> Reply {
        let made = try await backend.gate.view(
            .viewMetrics, as: call.principal(), in: call.organization, from: call.origin
        ) { _ in Gate.Outcome(answer()) }
        return .body(status: made.status, contentType: made.contentType, made.bytes)
    }
}
