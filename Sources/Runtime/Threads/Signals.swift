import CLinux
import CResources
import Foundation
import Messaging

/// Signals as a descriptor, so that they arrive through the same poll as messages.
///
/// Make it before any thread: threads inherit the mask that keeps the signals from being delivered.
final class Signals {
    let descriptor: Int32
    private var mask = sigset_t()

    /// Watches `signals`; SIGPIPE is ignored besides, and SIGXFSZ, so that writing says
    /// what is wrong. SIGHUP stays ignored if it was: `nohup` means that.
    ///
    /// - Throws: where there is no descriptor; then nothing has changed.
    init(_ signals: [Int32]) throws(MessagingError) {
        sigemptyset(&mask)
        for signal in signals where signal != SIGHUP || dtrain_is_ignored(SIGHUP) == 0 {
            sigaddset(&mask, signal)
        }
        descriptor = dtrain_signal_descriptor(&mask)
        guard descriptor >= 0 else { throw .system(call: "signalfd", code: errno) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
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
