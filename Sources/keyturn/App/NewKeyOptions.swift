internal import ArgumentParser
internal import Client
internal import Cryptography
internal import Glibc
internal import JSON

/// What becomes of a key that the server shows once.
struct NewKeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write the key to this file, for nobody else to read, instead of showing its secret.", valueName: "file"))
    var credentialsFile: String?

    func validate() throws {
        // Found out before a key exists that could not be written.
        if let credentialsFile, access(credentialsFile, F_OK) == 0 {
            throw ValidationError("\(credentialsFile) exists already.")
        }
    }

    /// Shows or writes the key in the server's answer.
    func hand(over made: JSONValue, keyID: String?, _ client: AdminClient, _ options: AdminOptions) throws {
        guard let keyID, let text = made["secret"] else { throw ClientError(.unexpectedAnswer, "the server gave no key") }
        let secret = try Secret(unescaping: text)
        if let credentialsFile {
            try Credentials.save(
                to: credentialsFile, endpoint: client.session.endpoint.text, keyID: keyID, secret: secret,
                organization: client.organization, certificateAuthority: client.session.certificateAuthority)
            Terminal.complain("the key is in \(credentialsFile)", prefix: "")
            if options.json { Terminal.say { $0.field("id", keyID) } } else { Terminal.say(keyID) }
            return
        }
        if options.json { return Terminal.say(json: made) }
        Terminal.say("KEYTURN_KEY_ID=\(PrintableText.of(keyID))")
        secret.withBytes { Terminal.say(variable: "KEYTURN_KEY_SECRET", $0) }
        Terminal.complain("The secret is not shown again.", prefix: "")
    }
}
