package import Access
package import Domain
package import HTTPServer

/// Tells the client's address of a request: the socket's peer, or what trusted proxies say.
package struct ClientAddressRule: Sendable {
    private let trusted: AddressPolicy
    private let clock: WallClock

    package init(trustedProxies: AddressPolicy, clock: WallClock = .system) {
        trusted = trustedProxies
        self.clock = clock
    }

    /// The origin of a request off the hot path, with the reason where the address cannot be told; such a request is denied.
    package func origin(of request: HTTPServer.Request) -> (origin: RequestOrigin, fault: String?) {
        let peer = IPAddress(request.peer)
        var address: IPAddress? = peer
        var fault: String?
        if trusted.allows(peer) {
            let lines = request.headers.filter { $0.name.withUnsafeBytes(Self.isForwardedFor) }.map {
                String(decoding: $0.value, as: UTF8.self)
            }
            do {
                address = try ClientAddress.resolve(peer: peer, forwardedFor: lines, trustedProxies: trusted)
            } catch {
                (address, fault) = (nil, Self.reason(error))
            }
        }
        let origin = RequestOrigin(
            request: Domain.RequestID(request.requestID), address: address, received: clock.now(),
            stopwatch: Stopwatch(nanoseconds: request.receivedAt.nanoseconds))
        return (origin, fault)
    }

    /// The same for an exchange on its loop, with the reason where the address cannot be told.
    func origin(of exchange: Exchange, now: Timestamp) -> (origin: RequestOrigin, fault: String?) {
        let peer = IPAddress(exchange.peer)
        let id = Domain.RequestID(exchange.requestID)
        let stopwatch = Stopwatch(nanoseconds: exchange.receivedAt.nanoseconds)
        guard trusted.allows(peer) else {
            return (RequestOrigin(request: id, address: peer, received: now, stopwatch: stopwatch), nil)
        }
        var lines: [UnsafeRawBufferPointer] = []
        exchange.forEachHeader { name, value in
            if Self.isForwardedFor(name) { lines.append(value) }
        }
        do {
            let address = try ClientAddress.resolve(peer: peer, forwardedFor: lines, trustedProxies: trusted)
            return (RequestOrigin(request: id, address: address, received: now, stopwatch: stopwatch), nil)
        } catch {
            return (RequestOrigin(request: id, address: nil, received: now, stopwatch: stopwatch), Self.reason(error))
        }
    }

    private static func reason(_ denial: ClientAddress.Denial) -> String { "client address: \(denial.rawValue)" }

    package func isTrusted(_ peer: PeerAddress) -> Bool { trusted.allows(IPAddress(peer)) }

    private static func isForwardedFor(_ name: UnsafeRawBufferPointer) -> Bool { name.equalsIgnoringCase("x-forwarded-for") }
}

extension IPAddress {
    /// The address at the other end of a socket.
    package init(_ peer: PeerAddress) {
        if peer.isIPv4 {
            self.init(v4: UInt32(truncatingIfNeeded: peer.low))
        } else {
            self.init(v6: peer.high, peer.low)
        }
    }
}

extension Identifier where Entity == Domain.Request {
    /// The id that the server gave the request.
    package init(_ id: HTTPServer.RequestID) {
        self.init(high: id.high, low: id.low)
    }
}
