internal import Cryptography
internal import Glibc
internal import JSON

extension Credentials {
    /// From the environment: `KEYTURN_URL`, `KEYTURN_KEY_ID`, `KEYTURN_KEY_SECRET`, and where wanted `KEYTURN_CA` (a PEM file)
    /// and `KEYTURN_ORG`; or all of them from the file that `KEYTURN_CREDENTIALS` names (see `file(_:)`).
    public static func environment() throws(ClientError) -> Credentials {
        if let path = variable("KEYTURN_CREDENTIALS") { return try file(path) }
        guard let endpoint = variable("KEYTURN_URL") else { throw missing("KEYTURN_URL") }
        guard let keyID = variable("KEYTURN_KEY_ID") else { throw missing("KEYTURN_KEY_ID") }
        guard let start = getenv("KEYTURN_KEY_SECRET"), start.pointee != 0 else { throw missing("KEYTURN_KEY_SECRET") }
        let secret = Secret(copying: UnsafeRawBufferPointer(start: start, count: strlen(start)))
        return try Credentials(
            endpoint: endpoint, keyID: keyID, secret: secret, organization: variable("KEYTURN_ORG") ?? defaultOrganization,
            certificateAuthority: variable("KEYTURN_CA"))
    }

    /// From a JSON file that nobody else may read (mode 0600): `{"url", "key_id", "key_secret", "ca", "org"}`, the last two
    /// where wanted. A relative `ca` is meant from the file's own directory.
    public static func file(_ path: String) throws(ClientError) -> Credentials {
        let secret = try PrivateFile.read(path)
        let value: JSONValue
        do throws(JSONFault) {
            value = try secret.withBytes { (bytes) throws(JSONFault) in try JSONDocument(bytes).root }
        } catch {
            throw ClientError(.invalidConfiguration, "\(path) is not JSON: \(error)")
        }
        guard let endpoint = value["url"]?.string, let keyID = value["key_id"]?.string, let key = value["key_secret"] else {
            throw ClientError(.invalidConfiguration, "\(path) must have url, key_id and key_secret")
        }
        return try Credentials(
            endpoint: endpoint, keyID: keyID, secret: try Secret(unescaping: key),
            organization: value["org"]?.string ?? defaultOrganization,
            certificateAuthority: value["ca"]?.string.map { resolve($0, besides: path) })
    }

    private static func variable(_ name: String) -> String? {
        guard let start = getenv(name), start.pointee != 0 else { return nil }
        return String(cString: start)
    }

    private static func missing(_ name: String) -> ClientError {
        ClientError(.invalidConfiguration, "the environment variable \(name) is not set")
    }

    private static func resolve(_ name: String, besides file: String) -> String {
        guard !name.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return name }
        return file[...slash] + name
    }
}
