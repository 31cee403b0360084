package import HTTPServer

/// Answers `/healthz`, `/readyz` and `/metrics` to whoever reaches the plain listener, and nothing else.
package final class HealthHandler: Handler {
    private let answers: OperationalAnswers

    package init(answers: OperationalAnswers) {
        self.answers = answers
    }

    package func limit(_ exchange: Exchange) -> BodyPolicy { .limit(0) }

    package func handle(_ exchange: Exchange) {
        guard let answer = answer(exchange.path) else {
            return exchange.respond(.problem(404, code: "not_found", detail: "Not found.", id: exchange.requestID))
        }
        guard exchange.method == .get || exchange.method == .head else {
            return exchange.respond(
                .problem(
                    405, code: "method_not_allowed", detail: "Only GET is allowed here.", id: exchange.requestID,
                    headers: [.init("Allow", "GET, HEAD")]))
        }
        exchange.respond(
            Response(
                status: answer.status, contentType: answer.contentType, headers: [.init("Cache-Control", "no-store")],
                body: .bytes(answer.bytes)))
    }

    private func answer(_ path: UnsafeRawBufferPointer) -> OperationalAnswers.Answer? {
        if path.elementsEqual("/healthz".utf8) { return answers.liveness }
        if path.elementsEqual("/readyz".utf8) { return answers.readiness }
        return path.elementsEqual("/metrics".utf8) ? answers.exposition : nil
    }
}

extension Listener {
    /// Adds connections and requests to the metrics.
    package func register(in registry: MetricRegistry) {
        // Weak: metrics outlive a listener.
        let statistics: @Sendable (any KeyPath<Statistics, Int> & Sendable) -> Double = { [weak self] count in
            Double(self?.statistics[keyPath: count] ?? 0)
        }
        registry.read("keyturn_open_connections") { statistics(\.openConnections) }
        registry.read("keyturn_parked_requests") { statistics(\.parked) }
        registry.read("keyturn_accepted_connections_total", .counter) { statistics(\.acceptedConnections) }
        registry.read("keyturn_refused_connections_total", .counter) { statistics(\.refusedConnections) }
        registry.read("keyturn_cut_connections_total", .counter) { statistics(\.cutConnections) }
        registry.read("keyturn_overdue_requests_total", .counter) { statistics(\.overdue) }
        registry.read("keyturn_http_requests_total", .counter) { statistics(\.requests) }
        registry.read("keyturn_malformed_requests_total", .counter) { statistics(\.malformed) }
    }
}
