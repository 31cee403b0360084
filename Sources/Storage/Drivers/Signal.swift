internal import Glibc

/// A POSIX semaphore that one thread raises and another waits for.
///
/// Unchecked, because it owns C memory; semaphores are made to be used from several threads.
final class Signal: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func raise() { sem_post(semaphore) }

    func wait() {
        // Interrupted by a signal, it waits again.
        while sem_wait(semaphore) != 0, errno == EINTR {}
    }
}
