package import Domain

/// How much work may be under way at the same time.
package struct WorkLimits: Sendable, Hashable {
    /// Executions.
    package var executions: Int
    /// Accounts in all.
    package var overall: Int
    /// Accounts behind one gateway.
    package var perGateway: Int
    /// Accounts on one target host: more would hit its limits of logins (`MaxStartups`, connection limits of databases).
    package var perHost: Int

    package init(executions: Int = 16, overall: Int = 32, perGateway: Int = 8, perHost: Int = 1) {
        self.executions = max(1, executions)
        self.overall = max(1, overall)
        self.perGateway = max(1, perGateway)
        self.perHost = max(1, perHost)
    }
}

/// Lets pieces of work begin as the limits allow, in the order in which they came; one that has to wait holds up no other for which there is
/// room.
package actor WorkSlots {
    package struct Place: Sendable, Hashable {
        package let host: String
        package let gateway: AssetID?

        package init(host: String, gateway: AssetID? = nil) {
            self.host = host
            self.gateway = gateway
        }
    }

    /// A kind of work that may take no more than so much of the room, however much there is.
    package struct Portion: Sendable, Hashable {
        let name: String
        let width: Int

        package init(_ name: String, width: Int) {
            self.name = name
            self.width = max(1, width)
        }
    }

    private struct Waiting {
        let place: Place
        let portions: [Portion]
        let continuation: CheckedContinuation<Void, Never>
    }

    private let limits: WorkLimits
    private var busy = 0
    private var hosts: [String: Int] = [:]
    private var gateways: [AssetID: Int] = [:]
    private var taken: [Portion: Int] = [:]
    private var waiting: [Waiting] = []

    package init(_ limits: WorkLimits) { self.limits = limits }

    /// Runs the work when there is room for it.
    package func run<Value: Sendable>(
        at place: Place, within portions: [Portion] = [], _ work: @Sendable () async -> Value
    ) async -> Value {
        await enter(place, portions)
        let value = await work()
        leave(place, portions)
        return value
    }

    /// Pieces that are under way.
    package var running: Int { busy }

    private func enter(_ place: Place, _ portions: [Portion]) async {
        if hasRoom(for: place, portions) { return take(place, portions) }
        await withCheckedContinuation { waiting.append(Waiting(place: place, portions: portions, continuation: $0)) }
    }

    private func hasRoom(for place: Place, _ portions: [Portion]) -> Bool {
        busy < limits.overall && hosts[place.host, default: 0] < limits.perHost
            && (place.gateway.map { gateways[$0, default: 0] < limits.perGateway } ?? true)
            && portions.allSatisfy { taken[$0, default: 0] < $0.width }
    }

    private func take(_ place: Place, _ portions: [Portion]) {
        busy += 1
        for portion in portions { taken[portion, default: 0] += 1 }
        hosts[place.host, default: 0] += 1
        if let gateway = place.gateway { gateways[gateway, default: 0] += 1 }
    }

    private func leave(_ place: Place, _ portions: [Portion]) {
        busy -= 1
        for portion in portions { taken[portion] = Self.less(taken[portion]) }
        hosts[place.host] = Self.less(hosts[place.host])
        if let gateway = place.gateway { gateways[gateway] = Self.less(gateways[gateway]) }
        var index = 0
        while index < waiting.count, busy < limits.overall {
            guard hasRoom(for: waiting[index].place, waiting[index].portions) else {
                index += 1
                continue
            }
            let next = waiting.remove(at: index)
            take(next.place, next.portions)
            next.continuation.resume()
        }
    }

    private static func less(_ count: Int?) -> Int? { count.flatMap { $0 > 1 ? $0 - 1 : nil } }
}
