/// An encrypted value as it is stored: opaque here, opened only by the sealing capability.
///
/// Its place (organization, record, field, version) is bound into the encryption, so a copy elsewhere does not open.
package struct Sealed: Hashable, Sendable {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }
}
