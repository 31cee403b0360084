internal import CSSHShim
internal import Glibc

/// A file descriptor that closes itself.
///
/// It can be shut down from any thread, which ends whatever waits on it; it is closed when the last owner drops it, so that its
/// number is never another file's while somebody uses it.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    func shutDown() { _ = shutdown(number, Int32(SHUT_RDWR)) }

    func makeNonBlocking() {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }

    static func socketPair() throws(SSHFault) -> (Descriptor, Descriptor) {
        var numbers: [Int32] = [-1, -1]
        guard kssh_socket_pair(&numbers) == 0 else { throw .system("socketpair") }
        return (Descriptor(numbers[0]), Descriptor(numbers[1]))
    }

    static func pipe() throws(SSHFault) -> (reading: Descriptor, writing: Descriptor) {
        var numbers: [Int32] = [-1, -1]
        guard kssh_pipe(&numbers) == 0 else { throw .system("pipe") }
        return (Descriptor(numbers[0]), Descriptor(numbers[1]))
    }

    enum Reading {
        case count(Int)
        case nothingYet
        case ended
    }

    /// Reads once from a descriptor that does not block.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Reading {
        while true {
            let count = Glibc.read(number, buffer.baseAddress, buffer.count)
            if count > 0 { return .count(count) }
            if count == 0 { return .ended }
            if errno == EINTR { continue }
            // The other side of a terminal that is gone answers EIO.
            return errno == EAGAIN ? .nothingYet : .ended
        }
    }

    /// Writes once to a descriptor that does not block: how many bytes it took, nil if it is broken.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count > 0 else { return 0 }
        while true {
            let count = send(number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            case ENOTSOCK: return writeToFile(bytes)
            default: return nil
            }
        }
    }

    /// Terminals only: they raise no signal when the other side is gone.
    private func writeToFile(_ bytes: UnsafeRawBufferPointer) -> Int? {
        while true {
            let count = Glibc.write(number, bytes.baseAddress, bytes.count)
            if count >= 0 { return count }
            if errno == EINTR { continue }
            return errno == EAGAIN ? 0 : nil
        }
    }
}

extension SSHFault {
    /// The system's last error as a fault of ours.
    static func system(_ call: String) -> SSHFault {
        SSHFault(.localFailure, words: "\(call): \(String(cString: strerror(errno)))")
    }
}

/// Waiting for descriptors.
enum Poll {
    struct Wish {
        let descriptor: Int32
        let reads: Bool
        let writes: Bool

        init(_ descriptor: Descriptor, reads: Bool = false, writes: Bool = false) {
            self.descriptor = descriptor.number
            self.reads = reads
            self.writes = writes
        }
    }

    /// Waits until one of the wishes comes true, for at most `milliseconds` (negative: without end). Whether each did; an error or a
    /// hang-up counts as true, since the next call on the descriptor tells.
    static func wait(_ wishes: [Wish], milliseconds: Int32) -> [Bool] {
        var entries = wishes.map { wish in
            pollfd(
                fd: wish.reads || wish.writes ? wish.descriptor : -1,
                events: Int16((wish.reads ? POLLIN : 0) | (wish.writes ? POLLOUT : 0)), revents: 0)
        }
        _ = poll(&entries, nfds_t(entries.count), milliseconds)
        return entries.map { $0.revents != 0 }
    }
}
