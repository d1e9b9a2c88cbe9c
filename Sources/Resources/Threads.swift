import CResources
import Glibc

/// The addresses that a thread's stack takes, in bytes.
let threadStack = 8 << 20

/// Starts a thread that may block, and that takes no signals: those belong to the main loop.
///
/// - Throws: where the system refuses one; `run` is not called then.
package func startThread(
    _ name: String, _ run: @escaping @Sendable () -> Void
) throws(ResourceError) {
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    // A trap ends the process at once, without saying where, when its signal is blocked.
    for signal in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] { sigdelset(&all, signal) }
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { throw .init(.threads(1), .unknown) }
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, threadStack)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let work = Unmanaged.passRetained(ThreadWork(name, run))
    var thread = pthread_t()
    // A new thread inherits the mask of the one that starts it.
    pthread_sigmask(SIG_SETMASK, &all, &before)
    let code = pthread_create(&thread, &attributes, threadMain, work.toOpaque())
    pthread_sigmask(SIG_SETMASK, &before, nil)
    guard code == 0 else {
        work.release()
        throw ResourceError(.threads(1), .of(.threads(1)))
    }
}

private final class ThreadWork {
    let name: String
    let run: @Sendable () -> Void

    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

private func threadMain(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // The things that the closure holds go with it, before the thread does.
    let work = Unmanaged<ThreadWork>.fromOpaque(pointer!).takeRetainedValue()
    dtrain_name_thread(work.name)
    work.run()
    return nil
}

/// Checks that the system lets so many threads live at once, besides those that do. Throws if not.
///
/// For libraries that abort where they are refused one. Others may still take what was free.
package func requireThreads(_ count: Int) throws(ResourceError) {
    let gate = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(gate, nil)
    pthread_mutex_lock(gate)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, threadStack)
    var threads: [pthread_t] = []
    while threads.count < count {
        var thread = pthread_t()
        guard pthread_create(&thread, &attributes, waitAtGate, gate) == 0 else { break }
        threads.append(thread)
    }
    let limit = threads.count < count ? Limit.of(.threads(1)) : nil
    pthread_mutex_unlock(gate)
    for thread in threads { pthread_join(thread, nil) }
    pthread_attr_destroy(&attributes)
    pthread_mutex_destroy(gate)
    gate.deallocate()
    if let limit { throw ResourceError(.threads(count), limit) }
}

private func waitAtGate(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let gate = pointer!.assumingMemoryBound(to: pthread_mutex_t.self)
    pthread_mutex_lock(gate)
    pthread_mutex_unlock(gate)
    return nil
}
