import CLinux
import CResources
import Glibc
import Messaging
import Threads

/// Signals as requests, which arrive through the same poll as messages.
///
/// Make it before any thread: threads inherit the mask that keeps the signals from being delivered.
final class Signals: RequestSource {
    let descriptor: Int32
    private var mask = sigset_t()
    private var wasAskedToStop = false

    /// What saves and ends a run.
    static let stopping = [SIGINT, SIGTERM, SIGHUP]

    /// Takes `stopping` as requests to stop and SIGUSR1 as one to say how things stand. SIGHUP stays
    /// ignored if it was: `nohup` means that. SIGPIPE and SIGXFSZ are ignored, so that writing says
    /// what is wrong.
    ///
    /// - Parameter stopping: fewer where another process is asked by them.
    /// - Throws: where there is no descriptor; then nothing has changed.
    init(stopping: [Int32] = Signals.stopping) throws(MessagingError) {
        sigemptyset(&mask)
        for signal in stopping where signal != SIGHUP || dtrain_is_ignored(SIGHUP) == 0 {
            sigaddset(&mask, signal)
        }
        sigaddset(&mask, SIGUSR1)
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

    /// The second request to stop ends the program at once.
    func next() -> Request? {
        let signal = dtrain_next_signal(descriptor)
        if signal == 0 { return nil }
        if signal == SIGUSR1 { return .status }
        if wasAskedToStop { exit(130) }
        wasAskedToStop = true
        return .stop
    }
}
