package import Domain

/// Slows down whoever sends bad signatures, by address, and nobody else.
///
/// It is asked only after a verification failed, so a good signature always passes, from whatever address. An address is
/// taken as its subscriber's prefix (IPv4 whole, IPv6 64 bits), since one subscriber has all of that. When its memory is
/// full, an address that it does not know yet is answered as if it had not failed before.
package final class SignatureThrottle: Sendable {
    private let failures: RateLimit<IPAddress>
    private let limit: Int

    package init(failuresPerMinute: Int = 120, maximumAddresses: Int = 65_536) {
        failures = RateLimit(windowSeconds: 60, maximumKeys: maximumAddresses)
        limit = max(failuresPerMinute, 1)
    }

    /// Notes a failure from `address`; `.refused` means to answer 429 instead of 401.
    package func noteFailure(from address: IPAddress, now: Timestamp) -> RateLimit<IPAddress>.Decision {
        failures.count(address.subscriberPrefix, limit: limit, now: now)
    }
}
