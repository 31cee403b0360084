internal import CSSH
internal import CSSHShim
internal import Glibc

extension LibrarySession {
    /// Asks what the host accepts, which also tells whether it lets in without proof, and then makes one attempt with the secret.
    ///
    /// One and no more: every rejected attempt may count against the account.
    func logIn(_ login: SSHLogin, _ deadline: Deadline) throws(SSHFault) {
        kssh_wire_limit(wire, deadline.nanoseconds)
        guard let offered = try methods(login.username, deadline) else {
            authenticatedBy = "none"
            return
        }
        guard let method = Self.method(for: login.method, among: offered) else {
            throw SSHFault(.noCommonMethod, words: "the host offers \(offered.joined(separator: ", "))")
        }
        do throws(SSHFault) {
            switch method {
            case "publickey": try offerKey(login, deadline)
            case "password": try sendPassword(login, deadline)
            default: try answerQuestions(login, deadline)
            }
        } catch {
            guard error.kind == .rejected else { throw error }
            throw try verdict(error, login, offered, deadline)
        }
        guard libssh2_userauth_authenticated(handle) == 1 else { throw SSHFault(.protocolError, words: "half a login") }
        authenticatedBy = method
    }

    static func method(for method: SSHLogin.Method, among offered: [String]) -> String? {
        switch method {
        case .privateKey: offered.contains("publickey") ? "publickey" : nil
        case .password: ["password", "keyboard-interactive"].first(where: offered.contains)
        }
    }

    /// The methods that the host names (RFC 4252 section 5.2); nil when it has let us in without any.
    private func methods(_ username: String, _ deadline: Deadline) throws(SSHFault) -> [String]? {
        let name = Array(username.utf8)
        while true {
            let list = name.withUnsafeBufferPointer { name in
                name.withMemoryRebound(to: CChar.self) {
                    libssh2_userauth_list(handle, $0.baseAddress, UInt32(clamping: $0.count))
                }
            }
            if let list {
                let text = String(decoding: UnsafeRawBufferPointer(start: list, count: min(strlen(list), 1000)), as: UTF8.self)
                return text.split(separator: ",").map { PrintableWords.of(String($0)) }
            }
            if libssh2_userauth_authenticated(handle) == 1 { return nil }
            let code = libssh2_session_last_errno(handle)
            guard code == LIBSSH2_ERROR_EAGAIN else { throw fault(code) }
            try wait(deadline)
        }
    }

    private func sendPassword(_ login: SSHLogin, _ deadline: Deadline) throws(SSHFault) {
        hasOfferedSecret = true
        try login.withNameAndSecret { (name, secret) throws(SSHFault) in
            try complete(deadline) {
                libssh2_userauth_password_ex(
                    handle, name.baseAddress, UInt32(clamping: name.count), secret.baseAddress, UInt32(clamping: secret.count),
                    nil)
            }
        }
    }

    private func offerKey(_ login: SSHLogin, _ deadline: Deadline) throws(SSHFault) {
        hasOfferedSecret = true
        try login.withNameAndSecret { (name, secret) throws(SSHFault) in
            try complete(deadline) {
                libssh2_userauth_publickey_frommemory(
                    handle, name.baseAddress, name.count, nil, 0, secret.baseAddress, secret.count, nil)
            }
        }
    }

    private func answerQuestions(_ login: SSHLogin, _ deadline: Deadline) throws(SSHFault) {
        try login.withNameAndSecret { (name, secret) throws(SSHFault) in
            wire.pointee.password = UnsafeRawPointer(secret.baseAddress)
            wire.pointee.password_length = secret.count
            defer {
                wire.pointee.password = nil
                wire.pointee.password_length = 0
                hasOfferedSecret = wire.pointee.answered > 0
            }
            try complete(deadline) {
                kssh_login_interactively(handle, name.baseAddress, UInt32(clamping: name.count))
            }
        }
    }

    /// What a refusal means: libssh2 does not tell "partial success" (RFC 4252 section 5.1), but the host names other methods then.
    private func verdict(_ refusal: SSHFault, _ login: SSHLogin, _ offered: [String], _ deadline: Deadline) throws(SSHFault)
        -> SSHFault
    {
        if wire.pointee.unanswered > 0 {
            let question = withUnsafeBytes(of: wire.pointee.question) { PrintableWords.of($0.prefix { $0 != 0 }) }
            return SSHFault(.moreNeeded(methods: ["keyboard-interactive"]), words: "the host also asks: \(question)")
        }
        let now: [String]?
        do throws(SSHFault) {
            now = try methods(login.username, deadline)
        } catch {
            // It has ended the connection after the refusal: the refusal stands, unless it says why.
            return error.kind == .lockedOut ? error : refusal
        }
        guard let now else { return SSHFault(.protocolError, words: "the host refuses the secret and lets in without") }
        if Set(now) == Set(offered) { return refusal }
        return SSHFault(.moreNeeded(methods: now), words: "accepted in part; the host also wants \(now.joined(separator: ", "))")
    }
}

extension SSHLogin {
    /// Lends name and secret as C strings with a length.
    func withNameAndSecret(
        _ body: (UnsafeBufferPointer<CChar>, UnsafeBufferPointer<CChar>) throws(SSHFault) -> Void
    ) throws(SSHFault) {
        let name = username.utf8.map { CChar(bitPattern: $0) }
        let outcome = name.withUnsafeBufferPointer { name in
            do throws(SSHFault) {
                try secret.withBytes { (bytes) throws(SSHFault) in
                    try body(name, bytes.assumingMemoryBound(to: CChar.self))
                }
                return Swift.Result<Void, SSHFault>.success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }
}
