/// What tells an account of a host from one that is made anew under its name, and where its home goes.
///
/// A host gives a number that is free again to the next account, so the number alone says little: the digest is of the account's lines in
/// passwd(5) and shadow(5), whose hash has a salt that is drawn anew with every password.
struct LinuxMark: Sendable, Hashable {
    let uid: Int64
    /// SHA-256 in hexadecimal; empty where the host cannot make one.
    let digest: String
    /// The home, and the name that it is kept under, which nothing had when the account was marked; nil where there was no home.
    let home: Home?

    struct Home: Sendable, Hashable {
        let path: String
        /// What stands behind its path.
        let suffix: String

        var kept: String { path + suffix }
    }

    /// From the lines that `LinuxRemoval.question` has the host write.
    init?(answer lines: [String], uid: Int64, home: String?) {
        guard let first = lines.first, first.hasPrefix("suffix ."), lines.count <= 2 else { return nil }
        self.init(
            uid: uid, digest: lines.count == 2 ? lines[1] : "",
            home: home.map { Home(path: $0, suffix: String(first.dropFirst("suffix ".count))) })
    }

    /// From what `text` was.
    init?(text: String) {
        let parts = text.split(separator: ";", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let uid = Int64(parts[0]) else { return nil }
        self.init(uid: uid, digest: parts[1], home: parts[3].isEmpty ? nil : Home(path: parts[3], suffix: parts[2]))
    }

    private init?(uid: Int64, digest: String, home: Home?) {
        let isDigest =
            digest.isEmpty || digest.utf8.count == 64 && digest.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
        let isSuffix = home.map {
            $0.suffix.utf8.allSatisfy { ".bak0123456789".utf8.contains($0) } && $0.suffix.hasPrefix(".bak")
        }
        guard uid > 0, isDigest, isSuffix ?? true, home.map({ $0.path.hasPrefix("/") }) ?? true else { return nil }
        self.uid = uid
        self.digest = digest
        self.home = home
    }

    /// A home's path may have any byte but a line's end, so it comes last.
    var text: String { "\(uid);\(digest);\(home?.suffix ?? "");\(home?.path ?? "")" }
}
