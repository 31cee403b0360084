/// A stored value with the code that authenticates it; nothing is checked here, and nothing may rest on the value before it is.
package struct Authenticated<Value: Sendable>: Sendable {
    package var value: Value
    /// Made and checked by the sealing capability.
    package var mac: [UInt8]

    package init(value: Value, mac: [UInt8]) {
        self.value = value
        self.mac = mac
    }
}

extension Authenticated: Equatable where Value: Equatable {}
extension Authenticated: Hashable where Value: Hashable {}
