import Words

/// Every exit code and what leads to it: `dtrain help exit-codes` and the documentation's page.
///
/// A test provokes each cause and looks at the code.
enum ExitCodesPage {
    static let causes: [(code: Int32, cause: String)] = [
        (0, "what was asked for is done"),
        (0, "a first Ctrl-C, SIGTERM or SIGHUP: a checkpoint is saved, --resume goes on"),
        (0, "the reader of standard output has gone, as in 'dtrain translate | head'"),
        (1, "a worker is not let in: wrong token, or --insecure on one side only"),
        (1, "a worker of an older or newer version, or with other arithmetic, is refused"),
        (1, "a loss or gradient is not finite and --on-nan is stop"),
        (1, "with --on-nan skip, 100 steps in a row were skipped, or a run's first or last 20"),
        (1, "parameters that are not finite were to be saved"),
        (
            1,
            "'dtrain simulate' has found a violation, or missed a rare branch, or the mistake of --canary"
        ),
        (1, "'dtrain doctor' has found something bad"),
        (1, "'dtrain diff' has found a difference that numbers depend on"),
        (64, "an unknown command or option, or a value out of its range"),
        (64, "options that exclude each other, or say nothing beside the others"),
        (64, "a --config file with a mistake in it"),
        (64, "on --resume, another value of a setting that changes the numbers"),
        (64, "a run folder that is not empty, holds no run, or is in use"),
        (65, "a text that cannot be learned from or translated"),
        (65, "translations and references of different numbers of lines"),
        (65, "a file of a run that is damaged and cannot do without"),
        (65, "a run's folder or checkpoint that a newer version wrote"),
        (65, "on --resume, another text or tokenizer than the run began with"),
        (65, "--resume or verify of a run that another version of the arithmetic has computed"),
        (65, "'dtrain verify' has found a difference"),
        (69, "no coordinator answers, or another service listens at its address"),
        (71, "the system refuses memory, a thread, a descriptor or a process"),
        (74, "a file cannot be read or written, or the disk is full"),
        (74, "a port is in use"),
        (130, "a second Ctrl-C: ended at once, the last checkpoint remains"),
        (131, "SIGQUIT: ended at once, without a core file"),
    ]

    static var text: String {
        causes.map { "\(padded("\($0.code)", -4))  \($0.cause)\n" }.joined()
    }

    static var markdown: String {
        """
        # Exit codes

        A command that fails says one sentence on standard error: what, where, what to do.

        `dtrain help exit-codes --markdown` prints this page; a test provokes every cause.

        | Code | What leads to it |
        |---|---|
        \(causes.map { "| \($0.code) | \($0.cause) |" }.joined(separator: "\n"))

        """
    }
}
