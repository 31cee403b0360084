internal import Cryptography
package import JSON

extension AccountSecret {
    /// Writes the secret and what is known of it as the members of an object; the sink must be one that is wiped.
    package borrowing func write(into writer: inout JSONWriter<some JSONSink>) {
        writer.field("account_id", accountID)
        writer.field("username", username)
        writer.field("asset", asset)
        writer.field("secret_type", secretType)
        writer.field("version", version)
        writer.field("date_changed", dateChanged)
        writer.key("secret")
        secret.withBytes { writer.string(utf8: $0) }
    }
}
