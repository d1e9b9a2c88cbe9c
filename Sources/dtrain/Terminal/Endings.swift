import CLinux
import CResources
import Glibc
import Words

/// How signals end the program where no loop takes them: at once, and without a core file.
enum Endings {
    /// Of every command.
    static func prepare() { dtrain_end_by(SIGQUIT, 128 + SIGQUIT, nil, 0) }

    /// What saves and ends a run ends it as well while its text is read, its tokenizer is trained:
    /// nothing has been written then.
    static func beforeFirstStep(isQuiet: Bool) {
        for signal in Signals.stopping {
            dtrain_end_by(signal, 0, isQuiet ? nil : sentence, signal == SIGHUP ? 1 : 0)
        }
    }

    /// Of a benchmark, which has a folder and processes of its own: they go with it.
    static func ofBenchmark() {
        for signal in Signals.stopping { dtrain_end_by(signal, 128 + signal, nil, 1) }
    }

    /// The parent's death ends this process; so does a parent that is gone already. What would stop the
    /// parent is left to it.
    static func endWith(_ parent: Int32) {
        for signal in Signals.stopping { Glibc.signal(signal, SIG_IGN) }
        _ = dtrain_die_with_parent()
        if getppid() != parent { exit(1) }
    }

    /// The run is over: these signals have their usual effect again.
    static func afterLastStep() {
        for signal in Signals.stopping where dtrain_is_ignored(signal) == 0 {
            Glibc.signal(signal, SIG_DFL)
        }
    }

    /// Lives as long as the program.
    nonisolated(unsafe) private static let sentence = UnsafePointer(
        strdup("dtrain: stopped before the first step"))
}
