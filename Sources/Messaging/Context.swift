import CZeroMQ
import Glibc
import Resources
import Synchronization

/// libzmq's threads and its table of sockets; one a process.
///
/// Sockets hold their context, so it ends after the last of them, on the thread that lets go last.
/// That takes as long as the sockets' linger at most.
package final class Context: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - threads: I/O threads; one moves about 1–2 GB/s over loopback.
    ///   - maximumSockets: sockets open at once, monitors (two each) included.
    /// - Throws: `MessagingError.system` when the process has no descriptors or threads left.
    package init(threads: Int = 1, maximumSockets: Int = 4096) throws(MessagingError) {
        precondition(threads > 0 && maximumSockets > 0, "\(threads) threads, \(maximumSockets)")
        Self.keepFrameMemory
        try Self.requireResources(threads: threads)
        guard let pointer = zmq_ctx_new() else {
            throw .system(call: "zmq_ctx_new", code: zmq_errno())
        }
        self.pointer = pointer
        let settings = [
            (ZMQ_IO_THREADS, threads), (ZMQ_MAX_SOCKETS, maximumSockets),
            // New sockets drop what is unsent when closed, unless their own linger says otherwise.
            (ZMQ_BLOCKY, 0),
        ]
        for (option, value) in settings
        where zmq_ctx_set(pointer, option, Int32(clamping: value)) != 0 {
            throw .system(call: "zmq_ctx_set(\(option))", code: zmq_errno())
        }
        try startThreads()
    }

    /// libzmq aborts where it is refused a thread or a descriptor for one: the reaper and each of
    /// the I/O threads, their two descriptors each, and the context's.
    private static func requireResources(threads: Int) throws(MessagingError) {
        do throws(ResourceError) {
            try requireThreads(1 + threads)
            try requireDescriptors(1 + 2 * (1 + threads) + spareDescriptors)
        } catch {
            throw .refused(error)
        }
    }

    /// Descriptors of a first socket with its monitor and its connection.
    private static let spareDescriptors = 8

    /// The first socket has libzmq start its threads: here, where they are known to be granted.
    private func startThreads() throws(MessagingError) {
        guard let first = zmq_socket(pointer, ZMQ_PAIR) else {
            throw .system(call: "zmq_socket", code: zmq_errno())
        }
        zmq_close(first)
    }

    /// libzmq takes each frame's memory from malloc, which by default gives large pieces back to
    /// the kernel and has their pages cleared and mapped again: a sixth of the time of a fold.
    private static let keepFrameMemory: Void = {
        mallopt(M_MMAP_THRESHOLD, 4 << 20)
        mallopt(M_TRIM_THRESHOLD, 32 << 20)
    }()

    deinit {
        while zmq_ctx_term(pointer) != 0 && zmq_errno() == EINTR {}
    }
}

/// A context on its way to a thread.
///
/// A thread's closure outlives its work. If it held the context, it might be the last to let go,
/// and wait for unsent bytes while the process ends without them.
package final class ContextLoan: Sendable {
    private let context: Mutex<Context?>

    /// Lends a context to the one thread that will take it.
    package init(_ context: Context) { self.context = Mutex(context) }

    /// Hands it over; to be called once.
    package func take() -> Context {
        context.withLock { context in
            defer { context = nil }
            return context!
        }
    }
}

/// An open libzmq socket: closed when its `~Copyable` owner and its monitor are gone.
final class Handle {
    let pointer: UnsafeMutableRawPointer
    let context: Context

    init(_ context: Context, type: Int32) throws(MessagingError) {
        guard let pointer = zmq_socket(context.pointer, type) else {
            throw .system(call: "zmq_socket", code: zmq_errno())
        }
        self.pointer = pointer
        self.context = context
    }

    deinit { zmq_close(pointer) }

    func set(_ option: Int32, _ name: String, _ value: Int32) throws(MessagingError) {
        var value = value
        guard zmq_setsockopt(pointer, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw .invalidOption(name: name, code: zmq_errno())
        }
    }

    func set(_ option: Int32, _ name: String, _ value: Int64) throws(MessagingError) {
        var value = value
        guard zmq_setsockopt(pointer, option, &value, MemoryLayout<Int64>.size) == 0 else {
            throw .invalidOption(name: name, code: zmq_errno())
        }
    }

    func set(_ option: Int32, _ name: String, _ value: [UInt8]) throws(MessagingError) {
        guard zmq_setsockopt(pointer, option, value, value.count) == 0 else {
            throw .invalidOption(name: name, code: zmq_errno())
        }
    }
}
