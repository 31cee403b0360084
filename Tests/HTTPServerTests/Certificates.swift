import Foundation
import HTTPServer

/// Certificates for the tests, made by the openssl program in a directory that goes away with the object.
final class Certificates: Sendable {
    let directory: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/keyturn-http-XXXXXX").utf8CString)
        directory = try unwrapped(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A self-signed certificate for localhost with a P-256 key.
    func make(_ name: String) throws -> ListenerConfiguration.TLSFiles {
        let files = ListenerConfiguration.TLSFiles(
            certificate: "\(directory)/\(name).crt", key: "\(directory)/\(name).key")
        _ = try shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=\(name)"
                + " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout \(files.key) -out \(files.certificate) 2>&1")
        return files
    }
}

/// The output of a shell command.
func shell(_ command: String) throws -> String {
    let pipe = try unwrapped(popen(command, "r"))
    var output: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = fread(&part, 1, part.count, pipe)
        if count == 0 { break }
        output += part.prefix(count)
    }
    pclose(pipe)
    return String(decoding: output, as: UTF8.self)
}
