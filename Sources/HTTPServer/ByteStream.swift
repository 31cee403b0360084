import Glibc
import Synchronization

/// A response body that one task produces while the loop sends it; bounded, so a slow reader holds the producer back.
package final class ByteStream: Sendable {
    private struct State {
        var chunks: [[UInt8]] = []
        var offset = 0
        var buffered = 0
        var ending = Ending.open
        var readerIsGone = false
        var writer: CheckedContinuation<Void, Never>?
        var mailbox: Mailbox?
    }

    private enum Ending { case open, finished, aborted }

    /// What the loop finds: so many bytes, none yet, the end, or a body that cannot be completed.
    enum Reading: Equatable {
        case bytes(Int)
        case nothingYet, end, broken
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// The capacity counts bytes that wait to be sent.
    package init(capacity: Int = 256 * 1024) {
        self.capacity = max(1, capacity)
    }

    /// Queues bytes, waiting while the stream is full. False when the client is gone: there is no use in going on.
    package func write(_ bytes: [UInt8]) async -> Bool {
        if bytes.isEmpty { return state.withLock { !$0.readerIsGone } }
        await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
            let mustWait = state.withLock { state in
                guard !state.readerIsGone, state.buffered >= capacity, state.writer == nil else { return false }
                state.writer = waiter
                return true
            }
            if !mustWait { waiter.resume() }
        }
        let (accepted, mailbox) = state.withLock { state -> (Bool, Mailbox?) in
            guard !state.readerIsGone, state.ending == .open else { return (false, nil) }
            state.chunks.append(bytes)
            state.buffered += bytes.count
            return (true, state.mailbox)
        }
        mailbox?.wake()
        return accepted
    }

    /// The body is complete.
    package func finish() {
        end(.finished)
    }

    /// The body cannot be completed: the connection is cut, so that the client does not take the part for the whole.
    package func abort() {
        end(.aborted)
    }

    private func end(_ ending: Ending) {
        let mailbox = state.withLock { state -> Mailbox? in
            if state.ending == .open { state.ending = ending }
            return state.mailbox
        }
        mailbox?.wake()
    }

    // MARK: - The loop's side

    func attach(to mailbox: Mailbox) {
        state.withLock { $0.mailbox = mailbox }
    }

    func read(into target: UnsafeMutableRawBufferPointer) -> Reading {
        let (reading, writer) = state.withLock { state -> (Reading, CheckedContinuation<Void, Never>?) in
            let copied = Self.copy(from: &state, into: target)
            guard copied > 0 else {
                switch state.ending {
                case .open: return (.nothingYet, nil)
                case .finished: return (.end, nil)
                case .aborted: return (.broken, nil)
                }
            }
            guard state.buffered < capacity else { return (.bytes(copied), nil) }
            return (.bytes(copied), state.writer.take())
        }
        writer?.resume()
        return reading
    }

    /// The connection is gone.
    func readerLeft() {
        let writer = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.readerIsGone = true
            state.chunks = []
            state.buffered = 0
            return state.writer.take()
        }
        writer?.resume()
    }

    private static func copy(from state: inout State, into target: UnsafeMutableRawBufferPointer) -> Int {
        guard let base = target.baseAddress else { return 0 }
        var copied = 0
        var used = 0
        for chunk in state.chunks {
            let count = min(chunk.count - state.offset, target.count - copied)
            guard count > 0 else { break }
            chunk.withUnsafeBytes { source in
                guard let start = source.baseAddress else { return }
                (base + copied).copyMemory(from: start + state.offset, byteCount: count)
            }
            copied += count
            state.offset += count
            guard state.offset == chunk.count else { break }
            state.offset = 0
            used += 1
        }
        state.chunks.removeFirst(used)
        state.buffered -= copied
        return copied
    }
}
