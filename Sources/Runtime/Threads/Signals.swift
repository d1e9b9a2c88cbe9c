import CLinux
import Foundation

/// Signals as a descriptor, so that they arrive through the same poll as messages.
///
/// Make it before any thread: threads inherit the mask that keeps the signals from being delivered.
final class Signals {
    let descriptor: Int32
    private var mask = sigset_t()

    /// Watches `signals`; SIGPIPE is ignored besides, and SIGXFSZ, so that writing says
    /// what is wrong.
    init(_ signals: [Int32]) {
        sigemptyset(&mask)
        for signal in signals { sigaddset(&mask, signal) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        descriptor = dtrain_signal_descriptor(&mask)
        precondition(descriptor >= 0, "signalfd: errno \(errno)")
    }

    /// Signals have their usual effect again on this thread, those included that still wait.
    deinit {
        close(descriptor)
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }

    /// The next signal that has arrived, nil if there is none.
    func next() -> Int32? {
        let signal = dtrain_next_signal(descriptor)
        return signal == 0 ? nil : signal
    }
}
