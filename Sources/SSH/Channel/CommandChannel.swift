/// A running command, whoever carries its bytes. Nothing here waits, except `wait` and `finish`.
protocol CommandChannel: AnyObject {
    /// Reads what has come: how many bytes, 0 when nothing has come yet, nil at the end.
    func read(_ stream: CommandStream, into buffer: UnsafeMutableRawBufferPointer) throws(SSHFault) -> Int?
    /// Takes as many bytes as it can right now; nil when the command reads no more.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SSHFault) -> Int?
    /// Ends the input; false if it has to be tried again.
    func closeInput() throws(SSHFault) -> Bool
    /// Waits until something may have changed, at most until the deadline.
    func wait(writing: Bool, _ deadline: Deadline) throws(SSHFault)
    /// After the end of both streams: how the command ended.
    func finish(_ deadline: Deadline) throws(SSHFault) -> (status: Int32?, signal: String?)
    /// Drops the channel, whatever the command does.
    func abandon()
}

enum CommandStream { case output, error }

/// What a command reads, piece by piece, without copying secrets together.
struct InputQueue {
    private let pieces: [SSHInput]
    private var index = 0
    private var offset = 0

    init(_ pieces: [SSHInput]) {
        self.pieces = pieces
        skipEmpty()
    }

    var isEmpty: Bool { index >= pieces.count }

    /// Offers the rest of the current piece; the closure returns how much of it was taken.
    mutating func offer(_ take: (UnsafeRawBufferPointer) throws(SSHFault) -> Int?) throws(SSHFault) -> Int? {
        guard index < pieces.count else { return 0 }
        let start = offset
        let taken = try pieces[index].withBytes { (bytes) throws(SSHFault) in
            try take(UnsafeRawBufferPointer(rebasing: bytes[min(start, bytes.count)...]))
        }
        guard let taken else { return nil }
        offset += taken
        skipEmpty()
        return taken
    }

    private mutating func skipEmpty() {
        while index < pieces.count, offset >= pieces[index].count {
            index += 1
            offset = 0
        }
    }
}
