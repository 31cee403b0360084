package import Cryptography
package import Domain
package import Outbound

/// A signed POST to the one URL that the configuration names, in the form of the Standard Webhooks specification 1.0:
/// `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64 of HMAC-SHA256 over "id.timestamp.body">`.
package final class Webhook: Channel {
    package static let name = "webhook"
    private let client: HTTPClient
    private let url: String
    private let key: Secret
    private let clock: WallClock

    package init(client: HTTPClient, url: String, key: consuming Secret, clock: WallClock = .system) {
        self.client = client
        self.url = url
        self.key = key
        self.clock = clock
    }

    package var name: String { Self.name }

    package func accepts(_ recipient: String) -> Bool { recipient.isEmpty }

    package func deliver(_ delivery: Delivery) async throws(DeliveryFault) {
        let body = Array(delivery.payload.utf8)
        let id = "\(delivery.id)"
        // The moment of sending, since receivers refuse old ones as replays.
        let time = "\(clock.now().seconds)"
        let status: Int
        do {
            let code = try HMACSHA256.authenticate(Array("\(id).\(time).".utf8) + body, key: key)
            let headers: [HTTPRequest.Header] = [
                .init("Content-Type", "application/json"), .init("webhook-id", id), .init("webhook-timestamp", time),
                .init("webhook-signature", "v1," + Base64.encode(code)),
            ]
            status = try await client.send(HTTPRequest(.post, url, headers: headers, body: WipedBytes(body))).status
        } catch {
            throw DeliveryFault(isFinal: false, words: "\(error)")
        }
        switch status {
        case 200...299: return
        // The specification's word for "never again".
        case 410: throw DeliveryFault(isFinal: true, words: "the receiver answered 410, gone")
        default: throw DeliveryFault(isFinal: false, words: "the receiver answered \(status)")
        }
    }
}
