import CZeroMQ
import Glibc

/// Lets any thread end another thread's `Poller.wait`.
package final class Wakeup: Sendable {
    /// An eventfd; readable once somebody has signalled.
    package let descriptor: Int32

    /// Makes the descriptor.
    ///
    /// - Throws: `.system` when the process has none left.
    package init() throws(MessagingError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw .system(call: "eventfd", code: errno) }
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable. Cheap, never blocks, may be called from any thread.
    package func signal() {
        var one: UInt64 = 1
        // It fails only when 2^64 - 1 signals are pending, and then the descriptor is readable.
        _ = write(descriptor, &one, 8)
    }

    /// Takes all signals so far. Call before looking at what they were about.
    package func drain() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
