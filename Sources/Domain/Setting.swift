/// A global setting that administrators change at run time; its value is JSON text.
package struct Setting: Sendable, Hashable {
    package let name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(name)
        canonical.append(value)
    }
}
