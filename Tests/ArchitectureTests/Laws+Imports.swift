/// What the compiler cannot say about imports: SwiftPM lets a target import a module that it does not list, when somebody else does.
enum ImportLaw {
    /// Each C library has one owner.
    static let owners: [String: String] = [
        "CCrypto": "Cryptography", "CCrypt": "Cryptography",
        "CMicrohttpd": "HTTPServer", "CHTTPShim": "HTTPServer",
        "CSQLite": "Storage",
        "CCurl": "Outbound", "CCurlShim": "Outbound",
        "CSSH": "SSH", "CSSHShim": "SSH",
        "CProcessShim": "Server",
        "CPostgres": "PostgresClient", "CPostgresShim": "PostgresClient",
        "CSSL": "Streams",
    ]

    /// Who may turn ciphertext into plaintext, or hold the keys that do.
    static let sealing: Set<String> = [
        "Sealing", "Access", "Vault", "Server",
        // The operator makes key files and types recovery codes.
        "keyturnd",
        "SealingTests", "AccessTests", "VaultTests", "NotificationsTests", "ServerTests",
        // Makes and opens whole vaults.
        "APITests", "AutomationTests",
        // Fills a stopped vault for measurements.
        "BenchLoad",
    ]

    /// Nothing of Foundation on the path of a fetch.
    static let withoutFoundation: Set<String> = [
        "JSON", "Domain", "Cryptography", "HTTPServer", "Storage", "Sealing", "Access", "Audit", "Vault", "Threads",
        "SSH",
    ]

    /// What a target never knows, whatever the manifest will say one day.
    static let never: [String: Set<String>] = [
        "Storage": ["Sealing", "Vault", "Cryptography", "Access"],
        "HTTPServer": ["Domain", "Storage", "Access", "Vault"],
        "Domain": ["Storage", "Cryptography"],
        "keyturn": ["HTTPServer", "Storage", "Server"],
        "Client": ["HTTPServer", "Storage", "Domain"],
        "SSH": ["Domain", "Connectors", "Storage", "Vault"],
    ]

    static func violations(in source: SwiftSource, _ manifest: Manifest) -> [Violation] {
        source.imports.flatMap { line, module, access -> [Violation] in
            var reasons: [String] = []
            if let owner = owners[module] {
                if source.target != owner && source.target != owner + "Tests" {
                    reasons.append("\(module) belongs to \(owner)")
                }
                if access == "package" || access == "public" {
                    reasons.append("C types in a signature: import \(module) without '\(access)'")
                }
            }
            if module == "Sealing" && !sealing.contains(source.target) {
                reasons.append("\(source.target) may not import Sealing")
            }
            if withoutFoundation.contains(source.target) && module.hasPrefix("Foundation") {
                reasons.append("\(source.target) does without \(module)")
            }
            if never[source.target]?.contains(module) == true {
                reasons.append("\(source.target) must not know \(module)")
            }
            if !source.isTest, let listed = manifest.dependencies[source.target], module != source.target,
                manifest.dependencies[module] != nil || manifest.products.contains(module) || owners[module] != nil,
                !listed.contains(module)
            {
                reasons.append("Package.swift does not list \(module) for \(source.target)")
            }
            return reasons.map { Violation(path: source.path, line: line, reason: $0) }
        }
    }
}
