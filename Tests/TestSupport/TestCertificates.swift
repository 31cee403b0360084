internal import Foundation

/// An authority of a test and a server's certificate from it, as PEM files that the programs of a test can read.
package struct TestCertificates: Sendable {
    /// The authority's certificate.
    package let authority: String
    package let certificateFile: String
    package let keyFile: String

    /// Makes them in a directory, the server's for the names (`DNS:localhost`, `IP:127.0.0.1`).
    package init(in directory: TemporaryDirectory, names: [String]) throws {
        let authorityFile = directory.file("authority.pem")
        certificateFile = directory.file("server.pem")
        keyFile = directory.file("server-key.pem")
        let authorityKey = directory.file("authority-key.pem")
        let request = directory.file("server.csr")
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try Self.openssl(
            ["req", "-x509"] + curve + [
                "-days", "2", "-subj", "/CN=test authority", "-keyout", authorityKey, "-out", authorityFile,
            ])
        try Self.openssl(["req", "-new"] + curve + ["-subj", "/CN=server", "-keyout", keyFile, "-out", request])
        let extensions = try directory.write("subjectAltName=" + names.joined(separator: ","), to: "server.ext")
        try Self.openssl([
            "x509", "-req", "-in", request, "-CA", authorityFile, "-CAkey", authorityKey, "-CAcreateserial", "-days", "2",
            "-extfile", extensions, "-out", certificateFile,
        ])
        authority = String(decoding: try directory.read("authority.pem"), as: UTF8.self)
    }

    private static func openssl(_ arguments: [String]) throws {
        let made = try ExternalProgram.run("openssl", arguments)
        guard made.status == 0 else { throw ProgramFault.unexpected("openssl", output: made.standardError) }
    }
}
