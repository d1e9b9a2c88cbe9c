import Foundation

/// Starts a thread that may block, and that takes no signals: those belong to the main loop.
package func startThread(_ name: String, _ run: @escaping @Sendable () -> Void) {
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    // A trap ends the process at once, without saying where, when its signal is blocked.
    for signal in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] { sigdelset(&all, signal) }
    // A new thread inherits the mask of the one that starts it.
    pthread_sigmask(SIG_SETMASK, &all, &before)
    let thread = Thread(block: run)
    thread.name = name
    thread.stackSize = 8 << 20
    thread.start()
    pthread_sigmask(SIG_SETMASK, &before, nil)
}
