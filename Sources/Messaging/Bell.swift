import CLinux
import Glibc
import Wire

/// Lets processes of the same host end this process's `Poller.wait`: a pipe without a name.
package final class Bell: Sendable {
    /// The reading end of the pipe; readable once somebody has rung.
    package let descriptor: Int32
    private let writing: Int32
    /// The place of the writing end, which neighbours open in order to ring.
    package let handle: MemoryPlace

    /// Makes the pipe.
    ///
    /// - Throws: `.system` when the process has no descriptors left.
    package init() throws(MessagingError) {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else {
            throw .system(call: "pipe2", code: errno)
        }
        descriptor = ends[0]
        writing = ends[1]
        do throws(MessagingError) {
            handle = try MemoryPlace(descriptor: ends[1], byteCount: 0)
        } catch {
            close(ends[0])
            close(ends[1])
            throw error
        }
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    /// Takes all rings so far. Call before looking at what they were about.
    package func drain() {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            while read(descriptor, buffer.baseAddress!, buffer.count) == buffer.count {}
        }
    }
}

/// A neighbour's bell.
package final class NeighbourBell: Sendable {
    private let descriptor: Int32

    /// Opens the bell of a process on this host.
    ///
    /// - Throws: `.system`, or `.unsoundMemory` if the place holds another file by now.
    package init(_ handle: MemoryPlace) throws(MessagingError) {
        // Open for both: a pipe whose reader is gone would end this process by SIGPIPE.
        descriptor = try handle.open(O_RDWR, label: "pipe:")
    }

    deinit { close(descriptor) }

    /// Ends the owner's wait; never blocks, and does nothing while its pipe is full of rings.
    package func ring() {
        var one: UInt8 = 1
        // It fails only when the pipe is full, and then its reader wakes anyway.
        _ = write(descriptor, &one, 1)
    }
}
