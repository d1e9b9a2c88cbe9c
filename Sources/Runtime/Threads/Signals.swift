import CLinux
import Foundation

/// Signals as a descriptor, so that they arrive through the same poll as messages.
///
/// Make it before any thread: threads inherit the mask that keeps the signals from being delivered.
final class Signals {
    let descriptor: Int32

    /// Watches `signals`; SIGPIPE is ignored besides.
    init(_ signals: [Int32]) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in signals { sigaddset(&mask, signal) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        signal(SIGPIPE, SIG_IGN)
        descriptor = dtrain_signal_descriptor(&mask)
        precondition(descriptor >= 0, "signalfd: errno \(errno)")
    }

    deinit { close(descriptor) }

    /// The next signal that has arrived, nil if there is none.
    func next() -> Int32? {
        let signal = dtrain_next_signal(descriptor)
        return signal == 0 ? nil : signal
    }
}
