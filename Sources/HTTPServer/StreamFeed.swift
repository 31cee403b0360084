/// The loop's end of a streamed body: moves bytes to libmicrohttpd and keeps the connection's deadline.
final class StreamFeed {
    private let stream: ByteStream
    private unowned let loop: Loop
    private let connection: Connection

    init(stream: ByteStream, loop: Loop, connection: Connection) {
        self.stream = stream
        self.loop = loop
        self.connection = connection
        stream.attach(to: loop.mailbox)
    }

    deinit {
        stream.readerLeft()
        setStarved(false)
    }

    /// Bytes moved; 0: none yet; -1: the end; -2: the body cannot be completed (libmicrohttpd's reader codes).
    func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let limits = loop.settings.limits
        switch stream.read(into: target) {
        case .bytes(let count):
            setStarved(false)
            loop.events += 1
            connection.enter(.sending, until: MonotonicTime.now.advanced(by: limits.sendDeadline))
            return count
        case .nothingYet:
            if !connection.isStarved {
                connection.enter(.sending, until: MonotonicTime.now.advanced(by: limits.requestDeadline))
            }
            setStarved(true)
            return 0
        case .end:
            setStarved(false)
            return -1
        case .broken:
            setStarved(false)
            return -2
        }
    }

    private func setStarved(_ starved: Bool) {
        guard starved != connection.isStarved else { return }
        connection.isStarved = starved
        loop.waiting += starved ? 1 : -1
    }
}
