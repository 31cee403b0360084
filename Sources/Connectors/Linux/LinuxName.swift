/// The name of an account as it can stand in passwd(5); whether the host would make one of that name is the host's to say.
struct LinuxName: Sendable, Hashable {
    let text: String

    init?(_ text: String) {
        let bytes = text.utf8
        guard (1...256).contains(bytes.count), text != ".", text != "..", text.first != " ", text.last != " ",
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") })
        else { return nil }
        self.text = text
    }

    /// As one word of a command line.
    var word: String { ShellText.quoted(text) }
}
