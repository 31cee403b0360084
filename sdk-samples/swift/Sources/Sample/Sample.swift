import Client
import Glibc

/// Fetches a secret from Keyturn with its Swift client:  swift run Sample ASSET ACCOUNT [--show]
@main
struct Sample {
    let client: KeyturnClient
    let isShown: Bool

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 2 else { return say("usage: Sample ASSET ACCOUNT [--show]") }
        do throws(ClientError) {
            // 1. Load credentials. 2. The client signs each request.
            let sample = Sample(client: KeyturnClient(try .environment()), isShown: arguments.contains("--show"))
            try await sample.run(asset: arguments[0], account: arguments[1])
        } catch {
            say("failed: \(error)")
            exit(1)
        }
    }

    func run(asset: String, account: String) async throws(ClientError) {
        // 3. Fetch one secret.
        let first = try await client.fetch(asset: asset, account: account)
        describe(first)

        // 4. A refusal is an error with a reason to tell it by.
        do throws(ClientError) {
            describe(try await client.fetch(asset: asset, account: "no-such-account"))
        } catch {
            guard error.reason == .notFound else { throw error }
            Self.say("refused: status \(error.status ?? 0), code \(error.code ?? "none")")
        }

        // 5. Nothing is cached: the next fetch sees the new secret.
        Self.say("change the secret now, then press Enter")
        _ = readLine()
        let second = try await client.fetch(asset: asset, account: account)
        describe(second)
        Self.say("changed: " + (second.version == first.version ? "no" : "yes"))
    }

    /// Borrows the secret: it cannot be copied, and is wiped when its owner is done with it.
    func describe(_ secret: borrowing AccountSecret) {
        let characters = secret.reveal { String(decoding: $0, as: UTF8.self).unicodeScalars.count }
        let digest = secret.digest().prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        Self.say("fetched: version \(secret.version), \(characters) characters, sha256 \(digest)")
        if isShown { secret.reveal { Self.say(String(decoding: $0, as: UTF8.self)) } }
    }

    /// A line at once, also into a pipe.
    static func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
