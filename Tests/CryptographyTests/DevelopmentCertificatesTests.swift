import TestSupport
import Testing

@testable import Cryptography

@Suite("Development certificates")
struct DevelopmentCertificatesTests {
    @Test("openssl accepts the chain strictly, for the names given and for no other")
    func verifies() throws {
        let made = try DevelopmentCertificates(
            commonName: "keyturn", dnsNames: ["localhost", "vault.example"], addresses: ["127.0.0.1", "::1"], days: 30)
        let directory = try TemporaryDirectory()
        let authority = try directory.write(made.authority, to: "ca.pem")
        let server = try directory.write(made.server, to: "server.pem")
        func verify(_ options: [String]) throws -> Finished {
            try ExternalProgram.run(
                "openssl", ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", authority] + options + [server])
        }
        for name in ["localhost", "vault.example"] {
            let outcome = try verify(["-verify_hostname", name])
            #expect(outcome.status == 0, "\(outcome.standardError)")
        }
        for address in ["127.0.0.1", "::1"] {
            #expect(try verify(["-verify_ip", address]).status == 0)
        }
        #expect(try verify(["-verify_hostname", "elsewhere.example"]).status != 0)
        #expect(try verify(["-verify_ip", "10.0.0.1"]).status != 0)
    }

    @Test("the private key is the server certificate's, and another authority does not vouch for it")
    func keyBelongs() throws {
        let made = try DevelopmentCertificates(commonName: "a", dnsNames: ["localhost"], addresses: [], days: 1)
        let other = try DevelopmentCertificates(commonName: "a", dnsNames: ["localhost"], addresses: [], days: 1)
        let directory = try TemporaryDirectory()
        let key = try directory.write(made.serverKey.copy(), to: "key.pem")
        let server = try directory.write(made.server, to: "server.pem")
        let authority = try directory.write(other.authority, to: "other.pem")
        let fromKey = try ExternalProgram.run("openssl", ["pkey", "-in", key, "-pubout"])
        let fromCertificate = try ExternalProgram.run("openssl", ["x509", "-in", server, "-noout", "-pubkey"])
        #expect(fromKey.status == 0 && fromKey.output == fromCertificate.output)
        #expect(try ExternalProgram.run("openssl", ["verify", "-CAfile", authority, server]).status != 0)
    }

    @Test("names that would smuggle in further ones are refused, and so is none", arguments: [[], ["a,IP:10.0.0.1"]])
    func refusesNames(_ names: [String]) {
        #expect(throws: CryptographyFault.self) {
            _ = try DevelopmentCertificates(commonName: "a", dnsNames: names, addresses: [], days: 1)
        }
    }
}
