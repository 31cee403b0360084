import Domain
import Testing

@testable import Storage

@Suite("Zones in the database")
struct ZonesTests {
    let vault: Vault

    init() throws { vault = try Vault() }

    private func asset(_ name: String, platform: Platform.ID, zone: ZoneID?, isActive: Bool = true) -> Authenticated<Asset> {
        authenticated(
            Asset(
                id: .random(), organization: vault.ours.id, name: name, address: name, platform: platform, isActive: isActive,
                zone: zone, dateCreated: day, dateUpdated: day))
    }

    @Test("a zone knows its gateways by name and counts the other assets")
    func contents() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        let zone = ours.zone.value.id
        let rows = [
            asset("jump-2", platform: .gateway, zone: zone), asset("jump-1", platform: .gateway, zone: zone, isActive: false),
            asset("elsewhere", platform: .gateway, zone: nil), asset("db-1", platform: .init(rawValue: 19), zone: zone),
        ]
        try vault.write { connection throws in
            for row in rows { try Assets.insert(row, on: connection) }
            #expect(try Zones.gateways(of: zone, in: ours.id, on: connection) == [rows[1], rows[0]])
            #expect(try Zones.assetCount(of: zone, in: ours.id, on: connection) == 2)
            #expect(try Zones.gateways(of: zone, in: theirs.id, on: connection).isEmpty)
            let found = try Assets.list(
                ListRequest(filters: [ListFilter(.zone, anyOf: [zone])], order: [ListOrder(.name)]), in: ours.id, on: connection)
            #expect(found.rows.map(\.value.name) == ["db-1", "jump-1", "jump-2", "web-1"])
        }
    }

    @Test("a zone that an asset is in cannot go, and an asset cannot be in another organization's")
    func references() throws {
        let (ours, theirs) = (vault.ours, vault.theirs)
        #expect(throws: StorageFault.self) {
            try vault.write { try Zones.delete(ours.zone.value.id, in: ours.id, on: $0) }
        }
        var moved = ours.asset
        moved.value.zone = theirs.zone.value.id
        let row = moved
        #expect(throws: StorageFault.constraint(.foreignKey, columns: "assets.zone_id")) {
            try vault.write { try Assets.update(row, on: $0) }
        }
        let stranger = asset("x", platform: .init(rawValue: 1), zone: theirs.zone.value.id)
        #expect(throws: StorageFault.constraint(.foreignKey, columns: "assets.zone_id")) {
            try vault.write { try Assets.insert(stranger, on: $0) }
        }
    }

    @Test("a zone is changed by an update, its name is its own, and an empty one goes")
    func life() throws {
        let ours = vault.ours
        var zone = authenticated(ours.zone.value)
        zone.value.name = "lab"
        zone.value.comment = "other"
        zone.value.updatedBy = "bob"
        let changed = zone
        let empty = authenticated(
            Zone(id: .random(), organization: ours.id, name: "empty", dateCreated: day, dateUpdated: day))
        try vault.write { connection throws in
            #expect(try Zones.update(changed, on: connection))
            #expect(try Zones.get(changed.value.id, in: ours.id, on: connection) == changed)
            try Zones.insert(empty, on: connection)
        }
        let twin = authenticated(Zone(id: .random(), organization: ours.id, name: "lab", dateCreated: day, dateUpdated: day))
        #expect(throws: StorageFault.constraint(.unique, columns: "zones.org_id, zones.name")) {
            try vault.write { try Zones.insert(twin, on: $0) }
        }
        #expect(try vault.write { try Zones.delete(empty.value.id, in: ours.id, on: $0) })
    }
}
