internal import Cryptography
internal import Domain
internal import SSH

// What SSH says in its own terms, in the terms of targets and workers.

extension ConnectorFault {
    /// - Parameter changes: whether what was asked could have changed the target.
    init(_ fault: SSHFault, changes: Bool = false) {
        let effect: Effect = changes && fault.sent ? .unknown : .none
        let words = fault.place == .gateway ? "gateway: " + fault.words : fault.words
        self.init(Kind(fault), effect: effect, words: words)
    }
}

extension ConnectorFault.Kind {
    fileprivate init(_ fault: SSHFault) {
        switch fault.kind {
        case .hostKeyChanged(let seen), .hostKeyUnknown(let seen): self = .hostKeyChanged(seen: seen)
        // What a gateway says of its own account says nothing of the target's.
        case .rejected where fault.place == .gateway, .moreNeeded where fault.place == .gateway,
            .lockedOut where fault.place == .gateway:
            self = .unreachable
        case .unreachable, .localFailure, .sessionRefused: self = .unreachable
        case .rejected: self = .loginRejected
        case .moreNeeded: self = .notPermitted
        case .lockedOut: self = .lockedOut
        case .noCommonMethod: self = .unsupported
        case .notAdmitted: self = fault.place == .gateway ? .gatewayLoginsSpent : .loginsSpent
        case .timedOut: self = .timedOut
        case .cut, .interrupted: self = .cut
        case .tooMuchOutput, .protocolError: self = .brokenProtocol
        }
    }
}

extension TargetLogin {
    /// For SSH, which keeps a copy of its own.
    var sshLogin: SSHLogin {
        withSecret { secret in
            SSHLogin(
                username: username, method: secretType == .sshKey ? .privateKey : .password, secret: secret.duplicate(),
                admission: CountedLogin(admission: admission))
        }
    }
}

/// Speaks for whoever counts the logins, in SSH's terms.
private struct CountedLogin: LoginAdmission {
    let admission: Admission

    func begin() throws(SSHFault) {
        switch admission.begin() {
        case .granted: break
        case .spent(let words): throw SSHFault(.notAdmitted, words: words)
        case .notNow(let words): throw SSHFault(.unreachable, words: words)
        }
    }

    func end(_ fault: SSHFault?, hasOfferedSecret: Bool) {
        guard let fault else { return admission.end(.accepted) }
        switch fault.kind {
        case .rejected: admission.end(.rejected)
        case .lockedOut where hasOfferedSecret: admission.end(.lockedOut)
        // What ended before the secret was sent was no login; and none that was sent goes uncounted, whatever ended it.
        default: admission.end(hasOfferedSecret ? .unclear : .notMade)
        }
    }
}

extension Target {
    var sshEndpoint: SSHEndpoint {
        SSHEndpoint(host: address, port: port, pinned: hostKeys.fingerprints, acceptNew: hostKeys.policy == .acceptNew)
    }

    var sshGateway: (endpoint: SSHEndpoint, login: SSHLogin)? {
        gateway.map { gateway in
            let endpoint = SSHEndpoint(
                host: gateway.address, port: gateway.port, pinned: gateway.hostKeys.fingerprints,
                acceptNew: gateway.hostKeys.policy == .acceptNew)
            return (endpoint, gateway.credential.sshLogin)
        }
    }

    var sshLimits: SSHLimits {
        SSHLimits(connecting: min(stepLimit, .seconds(10)), login: stepLimit, conversation: conversationLimit)
    }

    /// Logs in over SSH, through the gateway if there is one.
    func sshSession(as credential: TargetLogin) throws(SSHFault) -> SSHSession {
        try SSHSession.open(
            sshEndpoint, as: credential.sshLogin, via: sshGateway,
            limits: sshLimits)
    }
}
