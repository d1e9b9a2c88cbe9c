import Checkpoint
import Coordination
import Foundation
import Preparation
import Processes
import Settings
import Threads
import Words

/// Says on the terminal what a coordinator reports.
final class RunProgress {
    private let terminal: Terminal
    private let logEvery: Int
    private var steps = 0
    private var folder = ""
    /// The run's last step, where it has one.
    private var lastStep: Int?
    /// Of the last validation.
    private var heldOutLoss: Double?
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
        case .prepared(let summary):
            steps = summary.steps
            lastStep = summary.hasLastStep ? summary.steps : nil
            folder = summary.folder
        case .listening(let address, let token): listening(address, token)
        case .step(let step): took(step)
        case .validated(let result): heldOutLoss = result.loss
        case .note(.skipped):
            skipped += 1
            guard skipped == 1 || skipped.isMultiple(of: Self.skippedEach) else { return }
        default: break
        }
        for remark in report.remarks { terminal.say(remark) }
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
        terminal.say(invitation(to: address, access: access))
    }

    private func took(_ step: StepReport) {
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
        progressLine(
            step, of: lastStep, rate: rate(step), secondsLeft: secondsLeft,
            heldOutLoss: heldOutLoss)
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
        guard let lastStep, let pace = secondsPerStep, let last = recent.last else { return nil }
        return pace * Double(lastStep - last.step)
    }
}
