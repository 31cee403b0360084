internal import Cryptography
internal import Glibc
internal import Outbound

/// Signs requests as applications do: HTTP Signatures (draft-cavage-http-signatures) with HMAC-SHA-256.
struct RequestSigner: Sendable {
    let keyID: String
    let key: SigningKey
    let organization: String

    static let accept = "application/json"
    private static let signedNames = "(request-target) accept date x-jms-org"

    /// The headers of a GET of this target at this time, signature included.
    func headers(target: String, date: String) throws(ClientError) -> [HTTPRequest.Header] {
        let text = """
            (request-target): get \(target)
            accept: \(Self.accept)
            date: \(date)
            x-jms-org: \(organization)
            """
        let signature = try Base64.encode(key.authenticate(Array(text.utf8)))
        let authorization =
            #"Signature keyId="\#(keyID)",algorithm="hmac-sha256",headers="\#(Self.signedNames)",signature="\#(signature)""#
        return [
            .init("Accept", Self.accept), .init("Date", date), .init("X-JMS-ORG", organization), .init("X-Source", "jms-pam"),
            .init("Authorization", authorization),
        ]
    }

    /// The present time as an HTTP date (RFC 9110, 5.6.7).
    static func now() -> String { date(Int(time(nil))) }

    /// A time in seconds since 1970 as an HTTP date, whatever the locale.
    static func date(_ seconds: Int) -> String {
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
        let day =
            days[Int(parts.tm_wday)] + ", " + two(parts.tm_mday) + " " + months[Int(parts.tm_mon)] + " "
            + String(parts.tm_year + 1900)
        return day + " " + two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec) + " GMT"
    }
}

/// The secret half of an application's key; wiped when the last owner drops it. Threads may share it.
final class SigningKey: Sendable {
    private let secret: Secret

    init(_ secret: consuming Secret) throws(ClientError) {
        guard (1...1024).contains(secret.count) else {
            throw ClientError(.invalidConfiguration, "the key's secret is empty or too long")
        }
        self.secret = secret
    }

    func authenticate(_ message: [UInt8]) throws(ClientError) -> [UInt8] {
        do throws(CryptographyFault) {
            return try HMACSHA256.authenticate(message, key: secret)
        } catch {
            throw ClientError(.invalidConfiguration, "the request cannot be signed: \(error)")
        }
    }
}
