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

    /// A login that somebody counts, where somebody does.
    private func admitted<Output>(_ attempt: () throws(SSHFault) -> Output) throws(SSHFault) -> Output {
        guard let admission = login.admission else { return try attempt() }
        try admission.begin()
        do throws(SSHFault) {
            let output = try attempt()
            admission.end(nil)
            return output
        } catch {
            admission.end(error)
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
        let road = try connect()
        do throws(SSHFault) {
            let directory = try PrivateDirectory()
            var attempt = try ProgramLogin(
                endpoint, login, method: method, key: key, hostKeys: types, connection: road.descriptor, directory: directory)
            let outcome = try admitted { () throws(SSHFault) in
                try attempt.run(conversation.deadline(limits.login), interruption: interruption)
            }
            let session = ProgramSession(outcome, connection: road.descriptor, directory: directory, interruption: interruption)
            return Opened(transport: session, carrier: road.carrier)
        } catch {
            road.end()
            throw error
        }
    }

    /// Nil where libssh2 and the host find nothing in common.
    private func throughLibrary(_ types: [HostKeyType]) throws(SSHFault) -> Opened? {
        if types.isEmpty { return nil }
        let road = try connect()
        do throws(SSHFault) {
            let deadline = conversation.deadline(limits.login)
            guard let session = try greet(road, types, deadline) else {
                road.end()
                return nil
            }
            if let objection = endpoint.objection(to: session.hostKey) { throw SSHFault(objection) }
            // A limit of its own: the leave for it may have been waited for.
            try admitted { () throws(SSHFault) in try session.logIn(login, conversation.deadline(limits.login)) }
            return Opened(transport: session, carrier: road.carrier)
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
