import Testing

@testable import Cryptography

@Suite("CertificateFile")
struct CertificateFileTests {
    @Test("a certificate tells how long it is good, and whether a key is its own")
    func reads() throws {
        let made = try DevelopmentCertificates(commonName: "a", dnsNames: ["a"], addresses: [], days: 30)
        let found = try CertificateFile(certificate: Array(made.server.utf8), key: made.serverKey)
        #expect(found.matchesKey)
        #expect((29 * 86_400...30 * 86_400).contains(found.secondsLeft))
        #expect((299...310).contains(found.secondsSinceStart))
        let other = try DevelopmentCertificates(commonName: "b", dnsNames: ["b"], addresses: [], days: -1)
        #expect(try !CertificateFile(certificate: Array(made.server.utf8), key: other.serverKey).matchesKey)
        #expect(try CertificateFile(certificate: Array(other.server.utf8), key: other.serverKey).secondsLeft < 0)
    }

    @Test(
        "what is no certificate or key is refused",
        arguments: ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
    func refused(text: String) throws {
        let made = try DevelopmentCertificates(commonName: "a", dnsNames: ["a"], addresses: [], days: 30)
        #expect(throws: CryptographyFault.self) { try CertificateFile(certificate: Array(text.utf8), key: made.serverKey) }
        var bytes = Array(text.utf8)
        let key = Secret(moving: &bytes)
        #expect(throws: CryptographyFault.self) { try CertificateFile(certificate: Array(made.server.utf8), key: key) }
    }
}
