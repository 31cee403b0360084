internal import Cryptography
internal import Threads

/// Opens an authenticated connection with whichever of the two ways can do it: libssh2, or the `ssh` program.
struct Opening {
    let endpoint: SSHEndpoint
    let login: SSHLogin
    let limits: SSHLimits
    let conversation: Conversation
    let interruption: Interruption?
    /// Makes a new connection to the host; a second one is needed where the first way turns out not to be the right one.
    let connect: () throws(SSHFault) -> Road

    struct Opened {
        let transport: any Transport
        let carrier: (any Transport)?
    }

    init(
        endpoint: SSHEndpoint, login: SSHLogin, limits: SSHLimits, conversation: Conversation, interruption: Interruption?,
        connect: @escaping () throws(SSHFault) -> Road
    ) {
        self.endpoint = endpoint
        self.login = login
        self.limits = limits
        self.conversation = conversation
        self.interruption = interruption
        self.connect = connect
    }

    /// A host may have been pinned by a key of another type than the one that is negotiated first: then it is asked for that one.
    func run() throws(SSHFault) -> Opened {
        var types = HostKeyType.allCases
        var firstObjection: SSHFault?
        while !types.isEmpty {
            do throws(SSHFault) {
                return try open(types)
            } catch {
                switch error.kind {
                case .hostKeyChanged: firstObjection = firstObjection ?? error
                case .noCommonMethod where firstObjection != nil: break
                default: throw error
                }
                types.removeFirst()
            }
        }
        throw firstObjection ?? SSHFault(.noCommonMethod)
    }

    /// libssh2 1.10 signs with RSA and SHA-1 only, which hosts refuse: docs/decisions/0007-rsa-over-ssh.md.
    private func open(_ types: [HostKeyType]) throws(SSHFault) -> Opened {
        let key = try signingKey()
        if key?.isRSA != true, let opened = try throughLibrary(types.filter { $0 != .rsa }) { return opened }
        if key != nil { return try throughProgram(types, "publickey", key) }
        do throws(SSHFault) {
            return try throughProgram(types, "password", nil)
        } catch {
            // Asked for one method only, the program makes one attempt only. Where the host does not know it, there was none.
            guard error.kind == .noCommonMethod, error.words.contains("keyboard-interactive") else { throw error }
            return try throughProgram(types, "keyboard-interactive", nil)
        }
    }

    /// How long leave may be in coming before a connection that is found ended is no fault of the host's.
    private static let patience: Duration = .seconds(1)

    /// A login that somebody counts, where somebody does.
    ///
    /// - Parameters:
    ///   - hasOffered: whether the attempt came to offering the secret.
    ///   - attempt: is made again, on a new connection, where the host has ended the first one while leave was waited for: hosts do not wait
    ///     long for a login (`LoginGraceTime`).
    private func admitted<Output>(
        hasOffered: () -> Bool, _ attempt: (_ isAgain: Bool) throws(SSHFault) -> Output
    ) throws(SSHFault) -> Output {
        guard let admission = login.admission else { return try attempt(false) }
        let start = ContinuousClock.now
        try admission.begin()
        let hasWaited = ContinuousClock.now - start > Self.patience
        do throws(SSHFault) {
            let output: Output
            do throws(SSHFault) {
                output = try attempt(false)
            } catch {
                guard hasWaited, error.kind == .cut, !hasOffered() else { throw error }
                output = try attempt(true)
            }
            admission.end(nil, hasOfferedSecret: hasOffered())
            return output
        } catch {
            admission.end(error, hasOfferedSecret: hasOffered())
            throw error
        }
    }

    private func signingKey() throws(SSHFault) -> SSHSigningKey? {
        guard login.method == .privateKey else { return nil }
        do throws(SSHKeyFault) {
            return try login.secret.withSecret { (secret) throws(SSHKeyFault) in try SSHSigningKey(secret) }
        } catch {
            throw SSHFault(.localFailure, words: error.message)
        }
    }

    private func throughProgram(_ types: [HostKeyType], _ method: String, _ key: SSHSigningKey?) throws(SSHFault) -> Opened {
        var road = try connect()
        var attempt: ProgramLogin?
        do throws(SSHFault) {
            var directory = try PrivateDirectory()
            let outcome = try admitted(hasOffered: { attempt?.hasOfferedSecret ?? false }) { (isAgain) throws(SSHFault) in
                if isAgain {
                    road.end()
                    road = try connect()
                    directory = try PrivateDirectory()
                }
                var program = try ProgramLogin(
                    endpoint, login, method: method, key: key, hostKeys: types, connection: road.descriptor,
                    directory: directory)
                defer { attempt = program }
                return try program.run(conversation.deadline(limits.login), interruption: interruption)
            }
            let session = ProgramSession(outcome, connection: road.descriptor, directory: directory, interruption: interruption)
            return Opened(transport: session, carrier: road.carrier)
        } catch {
            road.end()
            throw error
        }
    }

    /// A host that has shown the key that is expected of it, and has heard nothing of the login.
    private struct Greeted {
        let road: Road
        let session: LibrarySession
    }

    /// Nil where libssh2 and the host find nothing in common.
    private func throughLibrary(_ types: [HostKeyType]) throws(SSHFault) -> Opened? {
        guard var host = try greeted(types) else { return nil }
        do throws(SSHFault) {
            try admitted(hasOffered: { host.session.hasOfferedSecret }) { (isAgain) throws(SSHFault) in
                if isAgain {
                    host.road.end()
                    guard let anew = try greeted(types) else { throw SSHFault(.noCommonMethod) }
                    host = anew
                }
                // A limit of its own: the leave for it may have been waited for.
                try host.session.logIn(login, conversation.deadline(limits.login))
            }
            return Opened(transport: host.session, carrier: host.road.carrier)
        } catch {
            host.road.end()
            throw error
        }
    }

    private func greeted(_ types: [HostKeyType]) throws(SSHFault) -> Greeted? {
        if types.isEmpty { return nil }
        let road = try connect()
        do throws(SSHFault) {
            guard let session = try greet(road, types, conversation.deadline(limits.login)) else {
                road.end()
                return nil
            }
            if let objection = endpoint.objection(to: session.hostKey) { throw SSHFault(objection) }
            return Greeted(road: road, session: session)
        } catch {
            road.end()
            throw error
        }
    }

    private func greet(_ road: Road, _ types: [HostKeyType], _ deadline: Deadline) throws(SSHFault) -> LibrarySession? {
        do throws(SSHFault) {
            return try LibrarySession.greet(road.descriptor, hostKeys: types, deadline, interruption: interruption)
        } catch {
            if error.kind == .noCommonMethod { return nil }
            throw error
        }
    }
}
