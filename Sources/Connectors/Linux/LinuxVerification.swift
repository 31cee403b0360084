internal import Cryptography
internal import Domain
internal import SSH

/// Whether a secret is live on a host, by a way that ends elsewhere without it.
struct LinuxVerification {
    let credential: TargetLogin
    let target: Target
    let guesses: RefusedGuesses

    // MARK: - A login of its own

    func directly() throws(ConnectorFault) -> Verdict {
        let session: SSHSession
        do throws(SSHFault) {
            session = try target.sshSession(as: credential)
        } catch {
            return try Self.verdict(error)
        }
        defer { session.close() }
        let method = session.authenticatedBy
        let expected = credential.secretType == .sshKey ? ["publickey"] : ["password", "keyboard-interactive"]
        guard expected.contains(method) else {
            return .unverifiable(words: "the host let the account in by '\(method)', so the secret was not asked for")
        }
        let place = "\(session.hostKey) \(method)"
        if guesses.wasRefused(at: place) { return .proven }
        return try seeWrongOneRefused(at: place) { (wrong) throws(ConnectorFault) in
            do throws(SSHFault) {
                try target.sshSession(as: wrong).close()
                return .proven
            } catch {
                return try Self.verdict(error)
            }
        }
    }

    private static func verdict(_ fault: SSHFault) throws(ConnectorFault) -> Verdict {
        guard fault.place == .target else { throw ConnectorFault(fault) }
        switch fault.kind {
        case .rejected: return .rejected(words: fault.words)
        case .lockedOut: return .lockedOut(words: fault.words)
        case .moreNeeded(let methods):
            return .unverifiable(
                words: "the host wants more than this secret: " + RemoteWords.of(Array(methods.joined(separator: ", ").utf8)))
        default: throw ConnectorFault(fault)
        }
    }

    // MARK: - su from another account

    func bySu(from helper: TargetLogin) throws(ConnectorFault) -> Verdict {
        guard credential.secretType == .password, let name = LinuxName(credential.username) else {
            return .unverifiable(words: "su proves passwords of accounts only")
        }
        let session = try helperSession(helper)
        defer { session.close() }
        let identity = try LinuxLogin(session: session, limit: target.stepLimit).identity()
        guard identity.uid != 0 else { return .unverifiable(words: "su asks root for no password") }
        guard identity.name != name.text else { return .unverifiable(words: "su must come from another account") }
        let verdict = try su(name, session, as: credential)
        guard verdict == .proven else { return verdict }
        let place = "\(session.hostKey) su"
        if guesses.wasRefused(at: place) { return .proven }
        return try seeWrongOneRefused(at: place) { (wrong) throws(ConnectorFault) in try su(name, session, as: wrong) }
    }

    /// What the host says of the account that is switched from says nothing of the one that is switched to.
    private func helperSession(_ helper: TargetLogin) throws(ConnectorFault) -> SSHSession {
        do throws(SSHFault) {
            return try target.sshSession(as: helper)
        } catch {
            let fault = ConnectorFault(error)
            guard [.loginRejected, .lockedOut, .loginsSpent].contains(fault.kind) else { throw fault }
            throw ConnectorFault(
                .unreachable, effect: .none, words: "the account \(helper.username) that is switched from: " + fault.words)
        }
    }

    private func su(_ name: LinuxName, _ session: SSHSession, as credential: TargetLogin) throws(ConnectorFault) -> Verdict {
        let frame: ScriptFrame
        do throws(CryptographyFault) {
            frame = try ScriptFrame(.nothing, isOnTerminal: true)
        } catch {
            throw ConnectorFault(.unreachable, effect: .none, words: "no random numbers")
        }
        let command = ShellText.quoted(frame.wrapped("id -un"))
        let dialogue = SSHDialogue(
            "exec env LC_ALL=C su -c \(command) -- \(name.word)",
            steps: [.init(prompt: SuPrompt.end, answer: [.secret(credential.sshLogin.secret), .text("\n")])],
            limit: target.stepLimit)
        do throws(SSHFault) {
            let ended = try session.dialogue(dialogue)
            let words = credential.withSecret { RemoteWords.of(ended.result.output, hiding: $0) }
            let answer = frame.answer(in: ended.result.output)
            let isIn = answer?.status == 0 && answer?.text == name.text
            if ended.answered == 0 {
                return isIn ? .unverifiable(words: "su asked for no password") : .lockedOut(words: words)
            }
            if isIn { return .proven }
            // Past the password, and stopped by something else: an expired account, a shell that lets nobody in. Some of these
            // su calls a failure of authentication as well.
            let isStopped = ["expired", "locked", "denied", "too many", "not available"].contains(
                where: words.lowercased().contains)
            let isWrong = ended.wasAskedAgain || words.contains("Authentication failure")
            return isWrong && !isStopped ? .rejected(words: words) : .lockedOut(words: words)
        } catch {
            throw ConnectorFault(error)
        }
    }

    // MARK: - The other side of a proof

    /// A host that lets in with anything proves nothing, so it must be seen to refuse one wrong secret.
    private func seeWrongOneRefused(
        at place: String, _ attempt: (TargetLogin) throws(ConnectorFault) -> Verdict
    ) throws(ConnectorFault) -> Verdict {
        if target.wasSeenRefusing { return .proven }
        return try guesses.oneAtATime(at: place) { () throws(ConnectorFault) in
            // Somebody else may have seen it meanwhile.
            if guesses.wasRefused(at: place) { return .proven }
            return try tryWrongOne(at: place, attempt)
        }
    }

    private func tryWrongOne(
        at place: String, _ attempt: (TargetLogin) throws(ConnectorFault) -> Verdict
    ) throws(ConnectorFault) -> Verdict {
        guard let wrong = try? Self.wrongSecret(for: credential) else {
            throw ConnectorFault(.unreachable, effect: .none, words: "no random numbers")
        }
        guard target.mayGuess() else {
            return .unverifiable(
                words: "whether the host refuses a wrong secret could not be tried, for the limit of rejected logins")
        }
        switch try attempt(wrong) {
        case .rejected:
            guesses.note(place)
            return .proven
        case .proven, .unverifiable: return .unverifiable(words: "the host lets the account in with any secret")
        case .lockedOut(let words):
            return .unverifiable(words: "whether the host refuses a wrong secret could not be seen: " + words)
        }
    }

    private static func wrongSecret(for credential: TargetLogin) throws -> TargetLogin {
        let secret =
            credential.secretType == .sshKey
            ? try SSHKeyPair.generate(.ed25519).openSSH()
            : try SecureRandom.characters(count: 20, from: SecureRandom.alphanumerics)
        return TargetLogin(username: credential.username, secretType: credential.secretType, secret: secret)
    }
}
