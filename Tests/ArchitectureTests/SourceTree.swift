import Foundation
import TestSupport

/// The tree of this package, read once.
enum SourceTree {
    static let sources: [SwiftSource] = read("Sources")
    static let tests: [SwiftSource] = read("Tests")
    static let manifest: String = text("Package.swift")

    /// Targets of Sources that are written in Swift.
    static let targets: [String] = Set(sources.map(\.target)).sorted()

    static func text(_ path: String) -> String {
        (try? String(contentsOfFile: Products.root + "/" + path, encoding: .utf8)) ?? ""
    }

    static func files(under folder: String) -> [String] {
        guard let found = FileManager.default.enumerator(atPath: Products.root + "/" + folder) else { return [] }
        var files: [String] = []
        while let name = found.nextObject() as? String {
            // What was built is not ours.
            if name.hasSuffix(".build") { found.skipDescendants() } else { files.append(folder + "/" + name) }
        }
        return files.sorted()
    }

    private static func read(_ folder: String) -> [SwiftSource] {
        files(under: folder).filter { $0.hasSuffix(".swift") }.map { SwiftSource(path: $0, text: text($0)) }
    }
}

/// What `Package.swift` lets a target know.
struct Manifest {
    /// The modules of this package that each target lists, and the products of others.
    let dependencies: [String: Set<String>]
    let products: Set<String>

    init(_ text: String) {
        var products: [String: String] = [:]
        for found in text.matches(of: /let (\w+) = Target\.Dependency\.product\(name: "(\w+)"/) {
            products[String(found.1)] = String(found.2)
        }
        var dependencies: [String: Set<String>] = [:]
        func add(_ target: String, _ list: Substring) {
            let words = list.matches(of: /"(\w+)"|(\w+)/).compactMap { $0.1.map(String.init) ?? $0.2.map(String.init) }
            dependencies[target, default: []].formUnion(words.map { products[$0] ?? $0 })
        }
        for found in text.matches(of: /capability\(\s*"(\w+)",\s*\[([^\]]*)\]/) { add(String(found.1), found.2) }
        for found in text.matches(of: /arget\(\s*name: "(\w+)",\s*dependencies: \[([^\]]*)\]/) { add(String(found.1), found.2) }
        self.dependencies = dependencies
        self.products = Set(products.values)
    }
}
