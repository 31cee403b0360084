package import Domain
internal import JSON
internal import Storage

/// The entry of a granted secret fetch, with its long parts written beforehand: every fetch pays for it.
///
/// It is stored byte for byte as the `AuditEntry` that `plain` gives would be.
package struct FetchEntry: Sendable {
    package let signer: WrittenSigner
    package let objects: WrittenObjects
    package let time: Timestamp
    package let address: IPAddress?
    /// What is remarkable about it; usually nothing.
    package let reason: String
    package let request: RequestID
    /// Microseconds from request to decision.
    package let latency: Int64
    package let version: Int64?

    package init(
        signer: WrittenSigner, objects: WrittenObjects, time: Timestamp, address: IPAddress?, reason: String = "",
        request: RequestID, latency: Int64, version: Int64?
    ) {
        self.signer = signer
        self.objects = objects
        self.time = time
        self.address = address
        self.reason = reason
        self.request = request
        self.latency = latency
        self.version = version
    }

    /// The same entry with nothing written yet.
    package var plain: AuditEntry {
        AuditEntry(
            time: time, actor: signer.actor, address: address?.description ?? "", organization: signer.organization,
            action: .fetch,
            objects: objects.plain, outcome: .granted, reason: reason, request: request, latency: latency, version: version)
    }
}

/// An application as the entries of its fetches name it, in their stored form.
package final class WrittenSigner: Sendable {
    package let application: ApplicationID
    package let organization: OrganizationID
    package let actor: Actor
    fileprivate let beforeAddress: WrittenPart
    fileprivate let afterAddress: WrittenPart

    package init(_ application: ApplicationID, name: String, credential: CredentialID, organization: OrganizationID) {
        self.application = application
        self.organization = organization
        actor = .application(application, name: name, credential: credential)
        var bytes = Array(#","phase":"\#(AuditPhase.single.rawValue)","actor":"#.utf8)
        EntryWriter.write(actor, to: &bytes)
        beforeAddress = WrittenPart(bytes)
        afterAddress = WrittenPart(
            Array(#","organization":"\#(organization)","action":"\#(AuditAction.fetch.rawValue)""#.utf8))
    }
}

/// What a fetch is about, in the stored form of an entry.
package struct WrittenObjects: Sendable {
    package let plain: [AuditObject]
    fileprivate let part: WrittenPart

    package init(_ objects: [AuditObject]) {
        plain = objects
        var bytes: [UInt8] = []
        if !objects.isEmpty { EntryWriter.write(objects, to: &bytes) }
        part = WrittenPart(bytes)
    }
}

/// A part of a body, and its packed form.
private struct WrittenPart: Sendable {
    let json: [UInt8]
    let packed: [UInt8]

    init(_ json: [UInt8]) {
        self.json = json
        packed = PackedBody.pack(json)
    }
}

// MARK: - Stored form

extension FetchEntry {
    /// More than the longest form of everything but the parts that are ready.
    private static let room = 256

    var columns: AuditColumns {
        AuditColumns(
            time: time, action: AuditAction.fetch.rawValue, outcome: AuditOutcome.granted.rawValue, actorKind: "application",
            actorID: signer.application.retyped(), organization: signer.organization)
    }

    /// Bytes that its body takes at most, packed or not.
    var bodyRoom: Int {
        if !reason.isEmpty { return EntryLimits.body }
        return Self.room + signer.beforeAddress.json.count + signer.afterAddress.json.count + objects.part.json.count
    }

    /// Whether it is stored packed. What is remarkable is rare.
    var isPacked: Bool { reason.isEmpty }

    /// Writes what `EntryWriter` makes of `plain`, and returns how many bytes that is.
    func writeBody(into memory: UnsafeMutableRawBufferPointer) -> Int {
        var bytes = BoundedBytes(memory)
        if reason.isEmpty {
            write(to: &bytes, packed: false)
        } else {
            // A reason may need escapes and cuts.
            var plain: [UInt8] = []
            EntryWriter.write(self.plain, to: &plain)
            bytes.append(raw: plain)
        }
        return bytes.count
    }

    /// Writes the packed form of its body, and returns how many bytes that is. For an entry without a reason.
    func writePackedBody(into memory: UnsafeMutableRawBufferPointer) -> Int {
        var bytes = BoundedBytes(memory)
        write(to: &bytes, packed: true)
        return bytes.count
    }

    private func write(to bytes: inout BoundedBytes, packed: Bool) {
        append(.start, to: &bytes, packed)
        bytes.append(time.milliseconds)
        append(signer.beforeAddress, to: &bytes, packed)
        if let address {
            append(.address, to: &bytes, packed)
            bytes.append(address)
            bytes.append("\"" as StaticString)
        }
        append(signer.afterAddress, to: &bytes, packed)
        append(objects.part, to: &bytes, packed)
        append(.granted, to: &bytes, packed)
        if packed { bytes.append(packedID: request) } else { bytes.append(request) }
        append(.latency, to: &bytes, packed)
        bytes.append(latency)
        if let version {
            append(.version, to: &bytes, packed)
            bytes.append(version)
        }
        bytes.append("}" as StaticString)
    }

    private func append(_ piece: PackedBody.Piece, to bytes: inout BoundedBytes, _ packed: Bool) {
        if packed { bytes.append(byte: piece.rawValue) } else { bytes.append(piece.text) }
    }

    private func append(_ part: WrittenPart, to bytes: inout BoundedBytes, _ packed: Bool) {
        bytes.append(raw: packed ? part.packed : part.json)
    }
}

extension BoundedBytes {
    fileprivate mutating func append(byte: UInt8) {
        guard let place = take(1) else { return }
        place[0] = byte
    }

    fileprivate mutating func append<Entity>(packedID id: Identifier<Entity>) {
        append(byte: PackedBody.idMark)
        guard let place = take(16) else { return }
        place.storeBytes(of: id.high.bigEndian, as: UInt64.self)
        place.storeBytes(of: id.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
}
