import Testing
import TestSupport

/// The laws of this tree. Each failure names the file and the line.
@Suite("The laws of the tree")
struct LawTests {
    @Test("the tree was found and read")
    func found() {
        #expect(SourceTree.targets.contains("Domain"))
        #expect(SourceTree.sources.count > 30)
        #expect(SourceTree.manifest.contains("capability("))
    }

    @Test("every package is pinned to one version")
    func pinned() {
        let packages = SourceTree.manifest.split(separator: "\n").filter { $0.contains(".package(") }
        #expect(packages.count >= 5)
        for package in packages { #expect(package.contains(", exact: \""), "\(package)") }
    }

    @Test("modules are imported by those who may know them")
    func imports() {
        let manifest = Manifest(SourceTree.manifest)
        let found = (SourceTree.sources + SourceTree.tests).flatMap { ImportLaw.violations(in: $0, manifest) }
        #expect(found.isEmpty, "\(found.list)")
    }

    @Test("nothing in Sources traps, prints, hides or goes unexplained")
    func code() {
        let found = SourceTree.sources.flatMap { CodeLaw.violations(in: $0) }
        #expect(found.isEmpty, "\(found.list)")
    }

    @Test("every target has a mirror in Tests", arguments: SourceTree.targets)
    func mirror(target: String) {
        // The programs are tested from outside, together.
        let mirror = ["keyturn", "keyturnd"].contains(target) ? "EndToEndTests" : target + "Tests"
        #expect(SourceTree.tests.contains { $0.target == mirror })
    }

    @Test("no file is longer than 500 lines")
    func length() {
        let found = TreeLaw.tooLong(SourceTree.sources + SourceTree.tests)
        #expect(found.isEmpty, "\(found.list)")
    }

    @Test("the median file of Sources stays near 100 lines")
    func median() {
        let counts = SourceTree.sources.map(\.lines.count).sorted()
        #expect(counts[counts.count / 2] < 150)
    }

    @Test("every migration is registered")
    func migrations() {
        let found = TreeLaw.unregisteredMigrations(SourceTree.sources)
        #expect(found.isEmpty, "\(found.list)")
    }

    @Test("every fuzz test is found by the name that `make fuzz` looks for")
    func fuzzing() {
        let found = SourceTree.tests.flatMap(TreeLaw.unnamedFuzz)
        #expect(found.isEmpty, "\(found.list)")
    }

    @Test("SQL is written in Storage")
    func statements() {
        let found = SourceTree.sources.flatMap(TreeLaw.statements)
        #expect(found.isEmpty, "\(found.list)")
    }

    @Test("a fetch neither awaits nor starts a task")
    func hotPath() {
        let found = SourceTree.sources.flatMap(TreeLaw.waiting)
        #expect(found.isEmpty, "\(found.list)")
    }

    @Test("no work is promised in comments")
    func promises() {
        let others = ["docs", "scripts", "config", "certs", "sdk-samples"].flatMap { SourceTree.files(under: $0) }
            .filter { path in
                [".md", ".sh", ".py", ".yaml", ".service", ".c", ".h", ".go", ".java", ".js", ".lua"].contains {
                    path.hasSuffix($0)
                }
            }
        let files = (SourceTree.sources + SourceTree.tests).map { ($0.path, $0.text) } + others.map { ($0, SourceTree.text($0)) }
        let found = files.flatMap { TreeLaw.promised($0.0, $0.1) }
        #expect(found.isEmpty, "\(found.list)")
    }
}
