internal import Threads

/// The way to a host: directly, or through a gateway.
struct Route {
    let gateway: (endpoint: SSHEndpoint, login: SSHLogin)?
    let limits: SSHLimits
    let conversation: Conversation
    let interruption: Interruption?

    /// A session with the endpoint, and the one with the gateway that carries it.
    func open(_ endpoint: SSHEndpoint, as login: SSHLogin) throws(SSHFault) -> (any Transport, (any Transport)?) {
        do throws(SSHFault) {
            let opened = try Opening(
                endpoint: endpoint, login: login, limits: limits, conversation: conversation, interruption: interruption
            ) { () throws(SSHFault) in
                try road(to: endpoint)
            }.run()
            return (opened.transport, opened.carrier)
        } catch {
            throw conversation.explained(error)
        }
    }

    private func road(to endpoint: SSHEndpoint) throws(SSHFault) -> Road {
        if gateway != nil { return try throughGateway(to: endpoint.host, port: endpoint.port) }
        return try direct(to: endpoint)
    }

    private func direct(to endpoint: SSHEndpoint) throws(SSHFault) -> Road {
        let descriptor = try Dialing.connect(
            to: endpoint.host, port: endpoint.port, deadline: conversation.deadline(limits.connecting), interruption: interruption
        )
        return Road(descriptor, carrier: nil)
    }

    /// A connection that the gateway makes for us, and the session that carries it.
    func throughGateway(to host: String, port: Int) throws(SSHFault) -> Road {
        let carrier = try openGateway()
        do throws(SSHFault) {
            return Road(try carrier.forward(to: host, port: port, conversation.deadline(limits.connecting)), carrier: carrier)
        } catch {
            carrier.interrupt()
            carrier.close()
            // That the gateway finds no way to the target says nothing of the gateway.
            throw error.kind == .unreachable ? error : error.atGateway()
        }
    }

    private func openGateway() throws(SSHFault) -> any Transport {
        guard let gateway else { throw SSHFault(.localFailure, words: "there is no gateway") }
        let opening = Opening(
            endpoint: gateway.endpoint, login: gateway.login, limits: limits, conversation: conversation,
            interruption: interruption
        ) { () throws(SSHFault) in
            try direct(to: gateway.endpoint)
        }
        do throws(SSHFault) {
            return try opening.run().transport
        } catch {
            throw conversation.explained(error).atGateway()
        }
    }
}

/// A byte stream to a host that has not been spoken to yet.
struct Road {
    let descriptor: Descriptor
    /// The session of the gateway, if there is one; ended by whoever drops the road.
    let carrier: (any Transport)?

    init(_ descriptor: Descriptor, carrier: (any Transport)?) {
        self.descriptor = descriptor
        self.carrier = carrier
    }

    func end() {
        descriptor.shutDown()
        carrier?.interrupt()
        carrier?.close()
    }
}
