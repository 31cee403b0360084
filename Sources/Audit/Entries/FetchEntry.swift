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
    fileprivate let beforeAddress: [UInt8]
    fileprivate let afterAddress: [UInt8]

    package init(_ application: ApplicationID, name: String, credential: CredentialID, organization: OrganizationID) {
        self.application = application
        self.organization = organization
        actor = .application(application, name: name, credential: credential)
        var bytes = Array(#","phase":"\#(AuditPhase.single.rawValue)","actor":"#.utf8)
        EntryWriter.write(actor, to: &bytes)
        beforeAddress = bytes
        afterAddress = Array(#","organization":"\#(organization)","action":"\#(AuditAction.fetch.rawValue)""#.utf8)
    }
}

/// What a fetch is about, in the stored form of an entry.
package struct WrittenObjects: Sendable {
    package let plain: [AuditObject]
    fileprivate let bytes: [UInt8]

    package init(_ objects: [AuditObject]) {
        plain = objects
        var bytes: [UInt8] = []
        if !objects.isEmpty { EntryWriter.write(objects, to: &bytes) }
        self.bytes = bytes
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

    /// Bytes that its body takes at most.
    var bodyRoom: Int {
        if !reason.isEmpty { return EntryLimits.body }
        return Self.room + signer.beforeAddress.count + signer.afterAddress.count + objects.bytes.count
    }

    /// Writes what `EntryWriter` makes of `plain`, and returns how many bytes that is.
    func writeBody(into memory: UnsafeMutableRawBufferPointer) -> Int {
        var bytes = BoundedBytes(memory)
        if reason.isEmpty {
            write(to: &bytes)
        } else {
            // A reason may need escapes and cuts.
            var plain: [UInt8] = []
            EntryWriter.write(self.plain, to: &plain)
            bytes.append(raw: plain)
        }
        return bytes.count
    }

    private func write(to bytes: inout BoundedBytes) {
        bytes.append("{\"v\":" as StaticString)
        bytes.append(EntryWriter.version)
        bytes.append(",\"time\":" as StaticString)
        bytes.append(time.milliseconds)
        bytes.append(raw: signer.beforeAddress)
        if let address {
            bytes.append(",\"address\":\"" as StaticString)
            bytes.append(address)
            bytes.append("\"" as StaticString)
        }
        bytes.append(raw: signer.afterAddress)
        bytes.append(raw: objects.bytes)
        bytes.append(",\"outcome\":\"granted\",\"request\":\"" as StaticString)
        bytes.append(request)
        bytes.append("\",\"latency\":" as StaticString)
        bytes.append(latency)
        if let version {
            bytes.append(",\"version\":" as StaticString)
            bytes.append(version)
        }
        bytes.append("}" as StaticString)
    }
}
