import Cryptography
import Outbound
import TestSupport
import Testing

@testable import Client

@Suite("Request signer")
struct RequestSignerTests {
    static let path = "/api/v1/accounts/integration-applications/account-secret/?"

    @Test(
        "the signatures that published clients make come out",
        arguments: [
            ("asset=ubuntu_docker&account=root", "DZkRFOLCvMqECWO5BhT0AVTFK1i6n85yA1Bioi7X5To="),
            ("account=root&asset=ubuntu_docker", "G/0ktRccpw8ust2dKduoBeleelg/doDqKBFr7Orzj8c="),
        ])
    func signs(query: String, signature: String) throws {
        var secret = Array(StubKeyturn.keySecret.utf8)
        let signer = RequestSigner(
            keyID: StubKeyturn.keyID, key: try SigningKey(Secret(moving: &secret)), organization: Credentials.defaultOrganization)
        let headers = try signer.headers(target: Self.path + query, date: "Fri, 20 Nov 2026 21:24:38 GMT")
        let expected = """
            Signature keyId="\(StubKeyturn.keyID)",algorithm="hmac-sha256",\
            headers="(request-target) accept date x-jms-org",signature="\(signature)"
            """
        #expect(headers.first { $0.name == "Authorization" }?.value == expected)
        #expect(headers.contains(.init("X-Source", "jms-pam")))
    }

    @Test(
        "a time becomes an HTTP date",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (1_795_209_878, "Fri, 20 Nov 2026 21:24:38 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        ])
    func dates(seconds: Int, text: String) {
        #expect(RequestSigner.date(seconds) == text)
    }
}

@Suite("Endpoint")
struct EndpointTests {
    @Test(
        "a URL gives origin and path, and targets are encoded once",
        arguments: [
            ("https://vault.example", "https://vault.example", "/x/?a=1"),
            ("https://vault.example:8443/", "https://vault.example:8443", "/x/?a=1"),
            ("HTTPS://[::1]:8443/keyturn//", "https://[::1]:8443", "/keyturn/x/?a=1"),
        ])
    func parses(text: String, origin: String, target: String) throws {
        let endpoint = try Endpoint(text)
        #expect(endpoint.origin == origin)
        #expect(endpoint.target("/x/", query: [("a", "1")]) == target)
        #expect(endpoint.target("/x/", query: [("n ä", "a b&c=d/é~")]).hasSuffix("?n%20%C3%A4=a%20b%26c%3Dd%2F%C3%A9~"))
        #expect(endpoint.target("/x/").hasSuffix("/x/"))
    }

    @Test(
        "what is no https URL of a host is refused",
        arguments: [
            "", "vault.example", "http://vault.example", "https://", "https://:8443", "https://user@host", "https://host?x",
            "https://host#x",
            "https://ho st", "https://host\r\nX: y", "https://hôst",
        ])
    func refuses(text: String) {
        let error = #expect(throws: ClientError.self) { try Endpoint(text) }
        #expect(error?.reason == .invalidConfiguration)
    }
}
