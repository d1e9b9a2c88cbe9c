import Checkpoint
import Coordination
import Events
import Foundation
import Preparation
import Processes
import Settings
import Threads
import Words

/// Says on the terminal what happens in a run.
final class RunProgress: RunObserver, @unchecked Sendable {
    let name = "the terminal"
    private let terminal: Terminal
    private let logEvery: Int
    // Only on the observer's thread.
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
    /// Moment on the coordinator's clock and number of recent steps, for the time that is left.
    private var recent: [(at: Double, step: Int)] = []

    init(terminal: Terminal, logEvery: Int) {
        self.terminal = terminal
        self.logEvery = logEvery
    }

    func observe(_ event: RunEvent) {
        switch event.report {
        case .prepared(let summary):
            steps = summary.steps
            lastStep = summary.hasLastStep ? summary.steps : nil
            folder = summary.folder
        case .listening(let listening): invite(to: listening)
        case .step(let step): took(step, at: event.clock)
        case .validated(let result): heldOutLoss = result.loss
        case .note(.skipped):
            skipped += 1
            guard skipped == 1 || skipped.isMultiple(of: Self.skippedEach) else { return }
        default: break
        }
        for remark in event.report.remarks { terminal.say(remark) }
    }

    /// The line to type on a worker. A token is shown on a terminal alone: journals and job logs keep
    /// what is printed.
    private func invite(to listening: Listening) {
        var access = "--insecure"
        if !listening.isPlain {
            let path = RunPaths(folder).token
            let token = terminal.isLive ? try? Access.tokenFile(path).token() : nil
            access = token.map { "--token \($0.text)" } ?? "--token-file \(quoted(path))"
        }
        terminal.say(invitation(to: listening.address, access: access))
    }

    private func took(_ step: StepReport, at moment: Double) {
        if let layers = step.layers { warn(of: layers, step: step.step) }
        recent.append((moment, step.step))
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
        return (last.at - first.at) / Double(last.step - first.step)
    }

    private var secondsLeft: Double? {
        guard let lastStep, let pace = secondsPerStep, let last = recent.last else { return nil }
        return pace * Double(lastStep - last.step)
    }
}
