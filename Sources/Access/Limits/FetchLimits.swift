internal import Domain

/// How many fetches an application may make a minute.
package final class FetchLimits: Sendable {
    package struct Rates: Sendable {
        /// For applications without a rate of their own; nil for no limit.
        package var fetchesPerMinute: Int?

        package init(fetchesPerMinute: Int? = nil) { self.fetchesPerMinute = fetchesPerMinute }
    }

    private let rates: Rates
    private let counts = RateLimit<ApplicationID>()

    package init(_ rates: Rates) { self.rates = rates }

    /// Counts one fetch of an application that has proved itself.
    func take(_ application: ApplicationPolicy, now: Timestamp) -> RateLimit<ApplicationID>.Decision {
        guard let limit = application.rateLimit.map({ Int(clamping: $0) }) ?? rates.fetchesPerMinute else { return .allowed }
        return counts.count(application.id, limit: limit, now: now)
    }
}
