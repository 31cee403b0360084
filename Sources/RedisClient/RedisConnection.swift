package import Cryptography
package import Streams

/// How much of a server's time and words a connection takes.
package struct RedisLimits: Sendable, Hashable {
    /// How long connecting may take, and each command.
    package var step: Duration
    /// How long everything may take together, from connecting on.
    package var conversation: Duration
    package var answerBytes: Int

    package init(
        step: Duration = .seconds(30), conversation: Duration = .seconds(300), answerBytes: Int = 1 << 20
    ) {
        self.step = step
        self.conversation = conversation
        self.answerBytes = answerBytes
    }
}

/// A connection to a server of Redis (RESP2). Its calls block.
///
/// `@unchecked` is safe as one thread at a time calls it: whoever owns the connection sees to that.
package final class RedisConnection: @unchecked Sendable {
    private let stream: TransportStream
    private let limits: RedisLimits
    /// When everything must be over.
    private let end: ContinuousClock.Instant
    private var isBroken = false

    /// Connects, with TLS from the first byte where the endpoint asks for it.
    package init(to endpoint: TransportEndpoint, limits: RedisLimits = RedisLimits()) throws(RedisFault) {
        end = ContinuousClock.now + limits.conversation
        let deadline = min(ContinuousClock.now + limits.step, end)
        do throws(TransportFault) {
            stream = try TransportStream(to: endpoint, until: deadline)
            if endpoint.trust.isEncrypted { try stream.startTLS(until: deadline) }
        } catch { throw RedisFault(error) }
        self.limits = limits
    }

    /// `AUTH`, which carries the password as it is: whoever calls this has seen to the channel.
    package func logIn(_ user: String, _ password: borrowing Secret) throws(RedisFault) {
        guard !password.isEmpty else { throw RedisFault(.badInput, "an empty password proves nothing") }
        var command = password.withBytes { Self.encoded([Array("AUTH".utf8), Array(user.utf8), Array($0)]) }
        defer { ConstantTime.wipe(&command) }
        guard try send(command).string == "OK" else { throw RedisFault(.brokenProtocol, "AUTH was not answered") }
    }

    /// Runs a command. Its parts are carried as they are, so there is nothing to quote.
    package func run(_ parts: String...) throws(RedisFault) -> RedisValue { try run(parts) }

    package func run(_ parts: [String]) throws(RedisFault) -> RedisValue {
        try send(Self.encoded(parts.map { Array($0.utf8) }))
    }

    private func send(_ command: [UInt8]) throws(RedisFault) -> RedisValue {
        guard !isBroken else { throw RedisFault(.cut, "the connection has ended") }
        let deadline = min(ContinuousClock.now + limits.step, end)
        let answer: RedisValue
        do throws(RedisFault) {
            do throws(TransportFault) { try stream.write(command, until: deadline) } catch { throw RedisFault(error) }
            answer = try read(until: deadline)
        } catch {
            // Nobody knows where in the talk it is.
            isBroken = true
            guard error.kind == .timedOut, ContinuousClock.now >= end else { throw error }
            throw RedisFault(.timedOut, "the conversation took longer than \(limits.conversation.components.seconds) seconds")
        }
        guard case .error(let words) = answer else { return answer }
        let code = words.split(separator: " ").first.map(String.init) ?? ""
        throw RedisFault(.refused(code: String(code.prefix(40))), words)
    }

    private func read(until deadline: ContinuousClock.Instant) throws(RedisFault) -> RedisValue {
        var reader = RedisReader(bytes: limits.answerBytes)
        return try reader.value(
            line: { (limit) throws(RedisFault) in
                do throws(TransportFault) { return try self.stream.readLine(limit, until: deadline) } catch {
                    throw RedisFault(error)
                }
            },
            exactly: { (count) throws(RedisFault) in
                do throws(TransportFault) { return try self.stream.read(count, until: deadline) } catch {
                    throw RedisFault(error)
                }
            })
    }

    private static func encoded(_ parts: [[UInt8]]) -> [UInt8] {
        var bytes = Array("*\(parts.count)\r\n".utf8)
        bytes.reserveCapacity(parts.reduce(64) { $0 + $1.count + 16 })
        for part in parts { bytes += Array("$\(part.count)\r\n".utf8) + part + [13, 10] }
        return bytes
    }
}
