import Checkpoint
import Coordination
import Foundation
import Preparation
import Processes
import Settings
import Threads

/// Says on the terminal what a coordinator reports.
final class RunProgress {
    private let terminal: Terminal
    private let logEvery: Int
    private var steps = 0
    private var folder = ""
    private var lastStep: StepReport?
    private var validation: ValidationResult?
    private var alarmed: Set<String> = []
    private var skipped = 0
    /// Skipped steps are said once, and then once in so many.
    private static let skippedEach = 10
    /// Moment and number of recent steps, for the time that is left.
    private var recent: [(at: ContinuousClock.Instant, step: Int)] = []

    init(terminal: Terminal, logEvery: Int) {
        self.terminal = terminal
        self.logEvery = logEvery
    }

    /// Whether there was anything to do.
    var hasBegun: Bool { steps > 0 }

    func observe(_ report: RunReport) {
        switch report {
        case .prepared(let summary): prepared(summary)
        case .textUnchecked:
            terminal.warn(
                "this run was begun by a version that kept nothing by which to know its text again:"
                    + " it cannot be checked, make sure that it is the same")
        case .listening(let address, let token): listening(address, token)
        case .turnedAway(let host, let reason, let more):
            terminal.say(sentence(turnedAway: host, reason, more: more))
        case .note(let note): say(note)
        case .step(let step): took(step)
        case .validated(let result): validated(result)
        case .checkpoint(let step, let path, let digest):
            terminal.say("step \(step): saved \(shown(path)), digest \(digest.prefix(12))…")
        case .checkpointFailed(let step, let error):
            terminal.warn(
                "step \(step): the checkpoint was not written (\(Failure(thrown: error).sentence));"
                    + " training goes on, the one before stays")
        case .ledgerFailed(let error):
            terminal.warn(
                "the ledger was not written (\(Failure(thrown: error).sentence)): training pauses,"
                    + " since no step counts without its line; trying again every second")
        case .ledgerRecovered(let seconds):
            terminal.say(
                "the ledger is written again after \(fixed(seconds, 1)) s: training goes on")
        case .ledgerNotDurable(let error):
            terminal.warn(
                "the ledger's last lines may be lost without power"
                    + " (\(Failure(thrown: error).sentence)): training goes on, the workers keep"
                    + " them; trying again")
        case .repaired(let repair): terminal.warn(repair.sentence)
        case .notLinked(let error): terminal.warn(missingLink(error))
        case .workerStarted: break
        case .workerEnded(let index, let processID, let status):
            terminal.warn(
                "worker process \(processID) (logs/worker-\(index + 1).log) \(said(status)),"
                    + " starting another")
        case .dump(let text, let status):
            terminal.say(text)
            for line in statusTable(status) { terminal.say(line) }
        case .nonFinite(let step, let shard, let samples, let places):
            let lines = places.map { "\($0.file):\($0.line)" }
            terminal.warn(
                "step \(step): the gradient of shard \(shard) is not finite, its samples are "
                    + (lines.isEmpty ? samples.map(String.init) : lines).joined(separator: ", "))
        case .timeIsUp(let step): terminal.say("step \(step): the time is up")
        }
    }

    /// The line to type on a worker. A token is shown on a terminal alone: journals and job logs keep
    /// what is printed.
    private func listening(_ address: Address, _ token: Token?) {
        var access = "--insecure"
        if let token {
            access =
                terminal.isLive
                ? "--token \(token.text)" : "--token-file \(quoted(RunPaths(folder).token))"
        }
        terminal.say("listening on \(address): dtrain worker --connect \(address) \(access)")
    }

    private func prepared(_ summary: RunSummary) {
        steps = summary.steps
        let corpus = summary.text.summary
        let unit = corpus.unit == .pairs ? "pairs" : "passages"
        var text = "text: \(grouped(corpus.training)) \(unit) to train on"
        text +=
            " (\(grouped(summary.text.trainingTokens)) tokens), \(grouped(corpus.heldOut)) held out"
        if corpus.repeated > 0 { text += ", \(grouped(corpus.repeated)) repeat another" }
        if corpus.alsoInValidation > 0 {
            text += ", \(grouped(corpus.alsoInValidation)) are in the validation file too"
        }
        terminal.say(text)
        for note in summary.text.notes {
            if note.isWarning { terminal.warn(note.sentence) } else { terminal.say(note.sentence) }
        }
        var run = "model: \(grouped(summary.parameters)) parameters, "
        run += "vocabulary \(grouped(summary.vocabulary)); "
        run += "\(grouped(summary.batchesPerEpoch)) steps an epoch"
        if summary.steps < Int(Int32.max) { run += ", \(grouped(summary.steps)) steps in all" }
        terminal.say(run)
        folder = summary.folder
        terminal.say("run folder: \(shown(summary.folder))")
        if let step = summary.resumedFrom { terminal.say("going on after step \(step)") }
    }

    private func took(_ step: StepReport) {
        lastStep = step
        if let layers = step.layers { warn(of: layers, step: step.step) }
        recent.append((.now, step.step))
        if recent.count > 50 { recent.removeFirst() }
        terminal.show(line(step))
        let isDue = logEvery > 0 && step.step.isMultiple(of: logEvery)
        if !terminal.isLive && (isDue || step.step == steps) { terminal.say(line(step)) }
    }

    /// Names the worst layer, once for each thing that is wrong with it.
    private func warn(of layers: [LayerReport], step: Int) {
        for alarm in layers.alarms where alarmed.insert("\(alarm.kind) \(alarm.layer)").inserted {
            terminal.warn("step \(step): \(sentence(of: alarm))")
        }
    }

    private func line(_ step: StepReport) -> String {
        var parts = [
            steps < Int(Int32.max) ? "step \(step.step)/\(steps)" : "step \(step.step)",
            "loss \(fixed(step.loss, 3))",
            "\(grouped(Int(rate(step).rounded()))) tokens/s",
            "\(step.workers) worker\(step.workers == 1 ? "" : "s")",
        ]
        if let left = secondsLeft { parts.append("\(span(left)) left") }
        if let validation { parts.append("held-out loss \(fixed(validation.loss, 3))") }
        return parts.joined(separator: "  ")
    }

    /// Tokens per second over the recent steps.
    private func rate(_ step: StepReport) -> Double {
        guard let pace = secondsPerStep else { return step.tokensPerSecond }
        return Double(step.tokens) / pace
    }

    private var secondsPerStep: Double? {
        guard let first = recent.first, let last = recent.last, last.step > first.step else {
            return nil
        }
        return first.at.duration(to: last.at) / .seconds(1) / Double(last.step - first.step)
    }

    private var secondsLeft: Double? {
        guard steps < Int(Int32.max), let pace = secondsPerStep, let last = recent.last else {
            return nil
        }
        return pace * Double(steps - last.step)
    }

    private func validated(_ result: ValidationResult) {
        validation = result
        terminal.say(
            "step \(result.step): held-out loss \(fixed(result.loss, 3)) nats a token,"
                + " perplexity \(fixed(exp(result.loss), 2))")
    }

    private func say(_ note: CoordinatorNote) {
        var sentence = sentence(of: note)
        if case .skipped = note {
            skipped += 1
            guard skipped == 1 || skipped.isMultiple(of: Self.skippedEach) else { return }
            if skipped > 1 { sentence += "; \(skipped) so far" }
        }
        if note.isWarning { terminal.warn(sentence) } else { terminal.say(sentence) }
    }
}

/// A path as a user in the current folder would type it.
func shown(_ path: String) -> String {
    guard let here = currentFolder.map({ $0 + "/" }) else { return path }
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
}

func said(_ status: ExitStatus) -> String {
    switch status {
    case .code(let code): "ended with exit code \(code)"
    case .signal(let signal):
        "was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
    }
}
