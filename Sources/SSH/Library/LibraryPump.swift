internal import CSSH
internal import Glibc
internal import Threads

/// Carries the bytes of one forwarded connection between a socket of ours and the channel of a gateway's session.
///
/// It runs on a thread of its own, which owns the session until either side ends.
final class LibraryPump {
    private let session: LibrarySession
    private let channel: OpaquePointer
    private let near: Descriptor
    private var outward = RelayHalf()
    private var inward = RelayHalf()

    private init(_ session: LibrarySession, _ channel: OpaquePointer, _ near: Descriptor) {
        self.session = session
        self.channel = channel
        self.near = near
    }

    /// Starts the thread; the end of the socket pair that is returned speaks to the far host.
    static func start(_ session: LibrarySession, _ channel: OpaquePointer) throws(SSHFault) -> Descriptor {
        let (near, ours) = try Descriptor.socketPair()
        near.makeNonBlocking()
        let cargo = Cargo(LibraryPump(session, channel, near))
        guard startThread(stackSize: 256 * 1024, { cargo.pump.run() }) else {
            throw SSHFault(.localFailure, words: "no thread for a gateway")
        }
        return ours
    }

    /// The pump on its way to the thread that will own it.
    // `@unchecked Sendable`: the thread that made the pump does not touch it again.
    private final class Cargo: @unchecked Sendable {
        let pump: LibraryPump
        init(_ pump: LibraryPump) { self.pump = pump }
    }

    private func run() {
        while !outward.hasPassedEnd || !inward.hasPassedEnd {
            guard let hasMoved = step() else { break }
            if !hasMoved { wait() }
        }
        near.shutDown()
        session.interrupt()
    }

    /// Moves what can be moved right now; nil when the connection is broken.
    private func step() -> Bool? {
        guard let out = sendOut(), let into = takeIn() else { return nil }
        return out || into
    }

    /// From our socket to the channel.
    private func sendOut() -> Bool? {
        let hasRead = outward.fill { near.read(into: $0) }
        let hasWritten = outward.drain({ write($0) }) { libssh2_channel_send_eof(channel) != LIBSSH2_ERROR_EAGAIN }
        return hasWritten.map { $0 || hasRead }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let count = libssh2_channel_write_ex(channel, 0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        if count >= 0 { return count }
        return count == Int(LIBSSH2_ERROR_EAGAIN) || count == Int(LIBSSH2_ERROR_CHANNEL_WINDOW_FULL) ? 0 : nil
    }

    /// From the channel to our socket.
    private func takeIn() -> Bool? {
        let hasRead = inward.fill { read(into: $0) }
        let hasWritten = inward.drain({ near.write($0) }) {
            _ = shutdown(near.number, Int32(SHUT_WR))
            return true
        }
        return hasWritten.map { $0 || hasRead }
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Descriptor.Reading {
        let count = libssh2_channel_read_ex(channel, 0, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        if count > 0 { return .count(count) }
        if libssh2_channel_eof(channel) == 1 { return .ended }
        // A session that is broken gives no more bytes.
        return count == 0 || count == Int(LIBSSH2_ERROR_EAGAIN) ? .nothingYet : .ended
    }

    private func wait() {
        let directions = libssh2_session_block_directions(session.handle)
        _ = Poll.wait(
            [
                .init(near, reads: outward.wantsMore, writes: !inward.isEmpty),
                .init(session.descriptor, reads: true, writes: directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0),
            ], milliseconds: 60_000)
    }

    deinit { libssh2_channel_free(channel) }
}
