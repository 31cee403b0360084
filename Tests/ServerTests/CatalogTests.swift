import Connectors
import Domain
import Testing

@testable import Server

@Suite("Catalogue")
struct CatalogTests {
    @Test(
        "a connector speaks a protocol that the assets of its platforms have by themselves",
        arguments: Platform.all.filter { platform in Catalog.connectors.contains { $0.platformTypes.contains(platform.type) } })
    func protocols(_ platform: Platform) throws {
        let connector = try #require(Catalog.connectors.first { $0.platformTypes.contains(platform.type) })
        #expect(platform.protocols.contains { connector.protocolNames.contains($0.name) })
        #expect(connector.protocolNames.allSatisfy { Platform.defaultPorts[$0] != nil })
    }

    @Test("no platform is served by two connectors")
    func unique() {
        let types = Catalog.connectors.flatMap { $0.platformTypes }
        #expect(Set(types).count == types.count)
    }
}
