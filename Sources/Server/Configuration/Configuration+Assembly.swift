internal import API
internal import Access
internal import Audit
internal import Domain
package import HTTPServer

/// What the configuration means for the parts.
extension Configuration {
    /// Where the vault keeps its parts.
    package var layout: Installation.Layout { Installation.Layout(data: dataDirectory, keys: keys) }

    /// The certificate in use and its key: those that are set, or the development certificate that `init` made.
    package var tlsFiles: ListenerConfiguration.TLSFiles {
        .init(certificate: tls.certificate ?? layout.certificate, key: tls.key ?? layout.certificateKey)
    }

    /// Where signed checkpoints go outside the database.
    package var checkpoints: String { audit.checkpointFile ?? layout.checkpoints }

    /// The main listener, over TLS.
    package var listener: ListenerConfiguration {
        var listener = ListenerConfiguration(host: listen.host, port: listen.port, tls: tlsFiles)
        if loops > 0 { listener.loops = loops }
        listener.limits.connections = limits.connections
        listener.limits.connectionsPerAddress = limits.connectionsPerAddress
        listener.limits.headerBytes = limits.headerBytes
        listener.limits.headerDeadline = limits.headerTimeout
        listener.limits.bodyDeadline = limits.bodyTimeout
        listener.limits.idleDeadline = limits.idleTimeout
        listener.limits.requestDeadline = limits.requestTimeout
        listener.limits.sendDeadline = limits.sendTimeout
        // A buffer that grows holds up to half more than its bytes: the largest body that is allowed must always fit.
        let largest = 2 * max(limits.adminBodyBytes, limits.applicationBodyBytes)
        listener.limits.bodyBytesPerAddress = max(limits.bodyBytesPerAddress, largest)
        listener.limits.bodyBytesInAll = max(limits.bodyBytesInAll, largest)
        return listener
    }

    /// The plain listener for health and metrics; nil where there is none.
    package var plainListener: ListenerConfiguration? {
        plainListen.map { address in
            var listener = ListenerConfiguration(host: address.host, port: address.port)
            listener.loops = 1
            listener.limits.connections = 256
            return listener
        }
    }

    /// What the assembly is made from; `observer` and whatever else is not configured is the caller's to set.
    package var assembly: AssemblyOptions {
        var options = AssemblyOptions(layout: layout, listener: listener)
        options.edge.applicationBody = limits.applicationBodyBytes
        options.edge.adminBody = limits.adminBodyBytes
        options.signatures = ApplicationGate.Rules(
            windowSeconds: signature.window.components.seconds, acceptsBeforeStart: signature.acceptsBeforeStart)
        options.replay.entriesPerCredential = signature.replayEntriesPerCredential
        options.replay.entriesInAll = max(options.replay.entriesInAll, signature.replayEntriesPerCredential)
        options.rates.fetchesPerMinute = rate.fetchesPerMinute == 0 ? nil : rate.fetchesPerMinute
        options.badSignaturesPerMinute = rate.badSignaturesPerMinute
        options.logins.failures = rate.loginFailures
        options.logins.lockOutSeconds = rate.lockOut.components.seconds
        options.jsonDepth = limits.jsonDepth
        options.audit.checkpointFile = checkpoints
        options.audit.refusals.overall = audit.refusalsPerMinute
        // The networks were read by the same rules, so that none can be refused; if one were, nobody would be trusted.
        options.trustedProxies = (try? AddressPolicy(trustedProxies.map(\.description))) ?? .nowhere
        options.diskReserve = diskReserve
        automation.apply(to: &options)
        return options
    }
}
