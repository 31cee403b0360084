/// The tables whose rows belong to no organization, each with the reason; every other table has `org_id`, and every query on it
/// names one.
package enum GlobalTables {
    package static let reasons: [String: String] = [
        "organizations": "the tenants themselves",
        "platforms": "built in, the same for all",
        "users": "administer several organizations",
        "sessions": "belong to users",
        "settings": "of the server as a whole",
        "key_slots": "open the keyring, which is above organizations",
        "keyring_keys": "wrap the data keys of all organizations",
        "row_ledger": "counts the rows of all organizations",
        "change_marks": "settle audit intents of any organization, and are deleted soon",
        "schema_version": "of the database as a whole",
    ]
}
