internal import Domain
internal import HTTPServer

/// The secret fetch as the description of the API shows it; it is answered on the hot path and never routed here.
enum FetchDescription {
    static let route = Route(
        .get, "/api/v1/accounts/integration-applications/account-secret/", .application,
        "The secret of one account, to an application that may have it", response: schema
    ) { _ in throw Refusal.notFound }

    private static let schema = Schema(
        "FetchedSecret",
        [
            .field("id", .uuid, .readOnly, "The application's id."),
            .field("secret", .text(max: 40_960), .readOnly, "Null where there is none, or where a setting hides all."),
            .field("account_id", .uuid, .readOnly), .field("username", .text(max: 128), .readOnly),
            .field("asset", .text(max: 128), .readOnly), .field("secret_type", .text(max: 16), .readOnly),
            .field("version", .integer, .readOnly), .field("date_changed", .dateTime, .readOnly),
        ])
}
