import Foundation
import Inference
import Preparation
import Words

/// `verify`.
extension Entry {
    static func verify(_ request: VerifyRequest) throws {
        let terminal = Terminal(isQuiet: false)
        let verification = Verification(
            run: request.run, steps: request.steps, threads: request.threads, text: request.text)
        let began = ContinuousClock.now
        var lastSaid = began
        let result = try verification.verify { step, steps in
            let now = ContinuousClock.now
            // Nobody reads more than a line a tenth of a second, or a log more than one in ten.
            let pause = Duration.seconds(terminal.isLive ? 0.1 : 10)
            guard step < steps.upperBound, lastSaid.duration(to: now) >= pause else { return }
            lastSaid = now
            let done = step - steps.lowerBound + 1
            let left =
                began.duration(to: now) / .seconds(1) / Double(done)
                * Double(steps.upperBound - step)
            let line = "step \(step)/\(steps.upperBound) agrees  \(span(left)) left"
            if terminal.isLive { terminal.show(line) } else { terminal.say(line) }
        }
        terminal.finish()
        let folder = shown(RunLocation(folder: request.run, resume: true).folder)
        if let repair = result.repair { warn(repair.sentence) }
        if result.tornBytes > 0 {
            warn("\(folder)/ledger.jsonl ends in \(result.tornBytes) bytes that are no whole line")
        }
        if !result.textIsChecked {
            warn(
                "\(folder) was begun by a version that kept nothing by which to know its text again, "
                    + "so that is not checked but by the steps")
        }
        if request.json { try StandardOutput.write(json: VerificationReport(result, folder)) }
        if let difference = result.difference {
            throw Failure.data(sentence(of: difference, in: result, of: folder))
        }
        if !request.json { try StandardOutput.write(sentence(of: result, folder) + "\n") }
    }
}

/// The line of JSON.
private struct VerificationReport: Encodable {
    struct Difference: Encodable {
        let step: Int
        let subject, recorded, recomputed: String
    }

    let run: String
    let equal: Bool
    let from: String
    let first, last, skipped: Int
    let checkpoints: [Int]
    let seconds: Double
    let difference: Difference?

    init(_ result: Verification.Result, _ folder: String) {
        run = folder
        equal = result.difference == nil
        switch result.start {
        case .seed: from = "seed"
        case .warmStart: from = "warm start"
        case .checkpoint(let path): from = path
        }
        first = result.steps.lowerBound
        last = result.steps.upperBound
        skipped = result.skipped
        checkpoints = result.checkpoints
        seconds = result.seconds
        difference = result.difference.map {
            Difference(
                step: $0.step, subject: $0.subject.name, recorded: $0.recorded,
                recomputed: $0.recomputed)
        }
    }
}
