import Glibc

/// The request method; what is not in the list is `other`.
package enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"
    case other = "?"

    /// Reads the method token of a request line; method names are case-sensitive (RFC 9110, 9.1).
    init(_ token: UnsafePointer<CChar>) {
        if strcmp(token, "GET") == 0 {
            self = .get
        } else if strcmp(token, "POST") == 0 {
            self = .post
        } else if strcmp(token, "HEAD") == 0 {
            self = .head
        } else if strcmp(token, "PUT") == 0 {
            self = .put
        } else if strcmp(token, "PATCH") == 0 {
            self = .patch
        } else if strcmp(token, "DELETE") == 0 {
            self = .delete
        } else if strcmp(token, "OPTIONS") == 0 {
            self = .options
        } else {
            self = .other
        }
    }
}
