internal import Domain

/// The built-in platforms, stored so that lists can be filtered by what they are. Global.
package enum Platforms {
    /// Brings the table to the built-in list; a platform is never removed, for assets refer to it.
    package static func seed(on connection: any SQLConnection) throws {
        for platform in Platform.all {
            try connection.execute(
                """
                INSERT INTO platforms (id, name, category, type) VALUES (?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, category = excluded.category, type = excluded.type
                """,
                [
                    .integer(Int64(platform.id.rawValue)), .text(platform.name), .text(platform.category.rawValue),
                    .text(platform.type),
                ])
        }
    }
}
