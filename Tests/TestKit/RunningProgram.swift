import Foundation

/// A `dtrain` that a test has started: what it says is waited for, never slept for.
///
/// Every wait has a deadline; when it passes, or the process ends before, `ClusterFailure` is
/// thrown with the last lines of all processes of the test.
package struct RunningProgram: Sendable {
    package static let patience = 30.0

    let process: StartedProcess
    let stage: Stage

    package var name: String { process.name }
    package var processID: pid_t { process.processID }
    package var lines: [Line] { process.now.lines }
    package var isAlive: Bool { process.now.code == nil }
    package var output: [String] { lines.filter { !$0.isError }.map(\.text) }
    package var errors: [String] { lines.filter(\.isError).map(\.text) }

    /// The last lines of all processes of the test, for messages.
    package var account: String { stage.account }

    /// How many lines there are so far: `waitFor(_:after:)` then looks at later ones only.
    package var mark: Int { process.now.lines.count }

    // MARK: waiting

    /// The first line after `mark` that has all of `words` in it.
    @discardableResult
    package func waitFor(
        _ words: String..., after mark: Int = 0, within seconds: Double = patience
    ) throws -> Line {
        try wait("a line with \(words)", seconds) { record in
            record.lines.dropFirst(mark).first { line in words.allSatisfy(line.text.contains) }
        }
    }

    /// The first step said after `mark` that is at least `step`.
    @discardableResult
    package func waitFor(
        step: Int, after mark: Int = 0, within seconds: Double = patience
    ) throws -> Int {
        try wait("step \(step)", seconds) { record in
            record.lines.dropFirst(mark).lazy.compactMap(\.step).first { $0 >= step }
        }
    }

    /// The exit code, minus the signal's number if one ended it.
    @discardableResult
    package func waitForEnd(within seconds: Double = patience) throws -> Int32 {
        try wait("its end", seconds) { $0.code }
    }

    private func wait<Value>(
        _ what: String, _ seconds: Double, for find: (StartedProcess.Record) -> Value?
    ) throws -> Value {
        if let value = process.wait(until: Date() + seconds, for: find) { return value }
        throw ClusterFailure(expected: "\(what) of \(name)", account: stage.account)
    }

    // MARK: signals

    package func kill() { process.send(SIGKILL) }
    package func stop() { process.send(SIGSTOP) }
    package func resume() { process.send(SIGCONT) }
    package func dump() { process.send(SIGUSR1) }
    package func interrupt() { process.send(SIGINT) }
    package func terminate() { process.send(SIGTERM) }

    /// Ctrl-C on a terminal: SIGINT to the process and its children alike.
    package func interruptGroup() { process.send(SIGINT, toGroup: true) }
    /// What `timeout` and systemd do: SIGTERM to the process and its children alike.
    package func terminateGroup() { process.send(SIGTERM, toGroup: true) }
}

extension Line {
    /// The N of a progress line `… step N/M  loss …`.
    package var step: Int? {
        guard let start = text.range(of: "step "),
            let slash = text[start.upperBound...].firstIndex(of: "/")
        else { return nil }
        return Int(text[start.upperBound..<slash])
    }
}
