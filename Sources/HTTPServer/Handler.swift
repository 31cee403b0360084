/// What answers requests. The first two calls come on the exchange's loop thread and must not block.
package protocol Handler: AnyObject, Sendable {
    /// Called for every request when its headers are complete: how large may the body be, or is it refused at once?
    func limit(_ exchange: Exchange) -> BodyPolicy
    /// Called when the whole request is there: `respond` or `park`. A handler that does neither answers 500.
    func handle(_ exchange: Exchange)
    /// Called after each pass over the connections in which `limit` or `handle` was called, and once before the loop ends.
    func cycleEnded(loop: Int)
    /// Called when an answer with a secret was made and could not be sent, on a loop's thread.
    func undelivered(_ answer: Undelivered)
}

extension Handler {
    package func cycleEnded(loop: Int) {}
    package func undelivered(_ answer: Undelivered) {}
}

package enum BodyPolicy: Sendable {
    /// Bytes; a longer body is answered 413.
    case limit(Int)
    /// The answer for a request whose body nobody wants to see.
    case refuse(Response)
}
