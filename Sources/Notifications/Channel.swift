package import Domain

/// A way to tell people or programs what happened: one file in `Channels/` and one line in the catalogue.
package protocol Channel: Sendable {
    /// `email`, `webhook`: what a delivery's row names.
    var name: String { get }

    /// Whether this can be a recipient of the channel; empty where the channel has but one.
    func accepts(_ recipient: String) -> Bool

    /// Hands the message over. Doing it twice is harmless: whoever gets it can tell by the id.
    func deliver(_ delivery: Delivery) async throws(DeliveryFault)
}

/// Why a message did not get through.
package struct DeliveryFault: Error, Sendable, Hashable {
    /// Trying again cannot help: the recipient is refused.
    package let isFinal: Bool
    package let words: String

    package init(isFinal: Bool, words: String) {
        self.isFinal = isFinal
        self.words = String(words.prefix(500))
    }
}
