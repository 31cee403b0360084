internal import ArgumentParser
internal import Domain
internal import HTTPServer
internal import Logging
internal import Sealing
internal import Server

/// Runs the server.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the server.")

    @Option(help: "Data directory.") var data = "/var/lib/keyturn"
    @Option(help: "Key directory.") var keys: String?
    @Option(help: "Address and port to listen on.") var listen = "127.0.0.1:8443"

    func run() async throws {
        let layout = Installation.Layout(data: data, keys: keys)
        guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
            throw ValidationError("--listen takes HOST:PORT")
        }
        let listener = ListenerConfiguration(
            host: String(listen[..<colon]), port: port, tls: .init(certificate: layout.certificate, key: layout.certificateKey))
        let logger = Logger(label: "keyturn")
        let assembly = try Assembly(AssemblyOptions(layout: layout, listener: listener), logger: logger)
        do {
            try await assembly.unseal(with: KeyFileUnsealer(directory: layout.keys), by: .system("start"))
        } catch {
            logger.error("the vault stays sealed", metadata: ["fault": "\(error)"])
        }
        try assembly.listener.start()
        Terminal.write("listening on \(listen)\n")
        while !Task.isCancelled { try await Task.sleep(for: .seconds(3600)) }
    }
}
