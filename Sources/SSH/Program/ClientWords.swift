/// What an `ssh` program said about a login, understood.
struct ClientWords {
    private let lines: [Substring]

    init(_ said: [UInt8]) {
        lines = String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline)
    }

    /// From `Authenticated to target (via proxy) using "publickey".`
    var methodUsed: String? {
        guard let line = lines.last(where: { $0.hasPrefix("Authenticated to target ") }) else { return nil }
        let parts = line.split(separator: "\"")
        return parts.count >= 2 ? PrintableWords.of(String(parts[1])) : nil
    }

    /// From `RSA key fingerprint is SHA256:….`
    static func fingerprint(in question: String) -> String? {
        guard let line = question.split(whereSeparator: \.isNewline).first(where: { $0.contains(" key fingerprint is SHA256:") }),
            let start = line.firstRange(of: "SHA256:")?.lowerBound
        else { return nil }
        let digest = line[start...].dropFirst(7).prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "/") }
        return digest.count == 43 ? "SHA256:" + digest : nil
    }

    /// Why a program ended before it had logged in.
    func fault(method: String, hasOfferedSecret: Bool) -> SSHFault {
        let words = lines.last { !$0.hasPrefix("Warning: Permanently added") }.map(String.init) ?? "the ssh program ended"
        return SSHFault(kind(method, hasOfferedSecret), words: words)
    }

    private func kind(_ method: String, _ hasOfferedSecret: Bool) -> SSHFault.Kind {
        if says("Too many authentication failures") { return .lockedOut }
        if let offered = offeredAtLast {
            if says("with partial success") { return .moreNeeded(methods: offered) }
            // A key that the host does not want is refused before anything is signed.
            return hasOfferedSecret || (method == "publickey" && offered.contains(method)) ? .rejected : .noCommonMethod
        }
        if says("Unable to negotiate") || says("no matching") { return .noCommonMethod }
        if says("onnection closed") || says("onnection reset") || says("Broken pipe") || says("disconnect") { return .cut }
        return .protocolError
    }

    /// From `user@target: Permission denied (publickey,password).`
    private var offeredAtLast: [String]? {
        guard let line = lines.last(where: { $0.contains("Permission denied (") }),
            let open = line.lastIndex(of: "("), let close = line.lastIndex(of: ")"), open < close
        else { return nil }
        return line[line.index(after: open)..<close].split(separator: ",").map(String.init)
    }

    private func says(_ words: String) -> Bool { lines.contains { $0.contains(words) } }
}
