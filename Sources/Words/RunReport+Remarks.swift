import Coordination
import Events
import Foundation
import Preparation
import Settings

extension RunReport {
    /// What is said of it; nothing of a step or an address, whose lines depend on more than the report.
    package var remarks: [Remark] {
        switch self {
        case .step, .phases, .listening, .workerStarted, .ended: []
        case .prepared(let summary): summary.remarks
        case .textUnchecked:
            [
                .warning(
                    "this run was begun by a version that kept nothing by which to know its text "
                        + "again: it cannot be checked, make sure that it is the same")
            ]
        case .turnedAway(let stranger):
            [
                .note(
                    sentence(turnedAway: stranger.host, stranger.reason, more: stranger.more))
            ]
        case .note(let note):
            [Remark(sentence: sentence(of: note), isWarning: note.isWarning)]
        case .validated(let result):
            [
                .note(
                    "step \(result.step): held-out loss \(fixed(result.loss, 3)) nats a token,"
                        + " perplexity \(fixed(exp(result.loss), 2))")
            ]
        case .checkpoint(let saved):
            [
                .note(
                    "step \(saved.step): saved \(shown(saved.path)), digest "
                        + "\(saved.digest.prefix(12))…")
            ]
        case .checkpointFailed(let failed):
            [
                .warning(
                    "step \(failed.step): the checkpoint was not written "
                        + "(\(Failure(thrown: failed.error).sentence));"
                        + " training goes on, the one before stays")
            ]
        case .ledgerFailed(let error):
            [
                .warning(
                    "the ledger was not written (\(Failure(thrown: error).sentence)): training "
                        + "pauses, since no step counts without its line; trying again every second"
                )
            ]
        case .ledgerRecovered(let seconds):
            [.note("the ledger is written again after \(fixed(seconds, 1)) s: training goes on")]
        case .ledgerNotDurable(let error):
            [
                .warning(
                    "the ledger's last lines may be lost without power"
                        + " (\(Failure(thrown: error).sentence)): training goes on, the workers "
                        + "keep them; trying again")
            ]
        case .repaired(let repair): [.warning(repair.sentence)]
        case .notLinked(let error): [.warning(missingLink(error))]
        case .workerEnded(let worker):
            [
                .warning(
                    "worker process \(worker.processID) (logs/worker-\(worker.index + 1).log) "
                        + "\(said(worker.status)), starting another")
            ]
        case .dump(let dump): ([dump.brief] + statusTable(dump.status)).map(Remark.note)
        case .nonFinite(let bad):
            [
                .warning(
                    "step \(bad.step): the gradient of shard \(bad.shard) is not finite, its "
                        + "samples are "
                        + (bad.places.isEmpty
                        ? bad.samples.map(String.init)
                        : bad.places.map { "\($0.file):\($0.line)" })
                        .joined(separator: ", "))
            ]
        case .lost(let lost):
            [
                .warning(
                    "\(lost.observer) was too slow for the run: \(grouped(lost.count)) "
                        + "event\(lost.count == 1 ? " was" : "s were") lost to it, training has not "
                        + "waited")
            ]
        case .timeIsUp(let step): [.note("step \(step): the time is up")]
        }
    }
}

extension RunSummary {
    fileprivate var remarks: [Remark] {
        var remarks = [Remark.note(textLine)] + text.notes
        remarks += [.note(modelLine), .note("run folder: \(shown(folder))")]
        if let step = resumedFrom { remarks.append(.note("going on after step \(step)")) }
        return remarks
    }

    private var textLine: String {
        let corpus = text.summary
        let unit = corpus.unit == .pairs ? "pairs" : "passages"
        var line = "text: \(grouped(corpus.training)) \(unit) to train on"
        line += " (\(grouped(text.trainingTokens)) tokens), \(grouped(corpus.heldOut)) held out"
        if corpus.repeated > 0 { line += ", \(grouped(corpus.repeated)) repeat another" }
        if corpus.alsoInValidation > 0 {
            line += ", \(grouped(corpus.alsoInValidation)) are in the validation file too"
        }
        return line
    }

    private var modelLine: String {
        var line = "model: \(grouped(parameters)) parameters, "
        line += "vocabulary \(grouped(vocabulary)); \(grouped(batchesPerEpoch)) steps an epoch"
        if hasLastStep { line += ", \(grouped(steps)) steps in all" }
        return line
    }

    /// The run has an end that is known beforehand.
    package var hasLastStep: Bool { steps < Int(Int32.max) }
}

/// The line that shows how training gets on.
///
/// - Parameters:
///   - rate: tokens a second.
///   - secondsLeft: nil where that is not known.
///   - heldOutLoss: nats a token, of the last validation.
package func progressLine(
    _ step: StepReport, of steps: Int?, rate: Double, secondsLeft: Double?, heldOutLoss: Double?
) -> String {
    var parts = [
        steps.map { "step \(step.step)/\($0)" } ?? "step \(step.step)",
        "loss \(fixed(step.loss, 3))",
        "\(grouped(Int(rate.rounded()))) tokens/s",
        "\(step.workers) worker\(step.workers == 1 ? "" : "s")",
    ]
    if let secondsLeft { parts.append("\(span(secondsLeft)) left") }
    if let heldOutLoss { parts.append("held-out loss \(fixed(heldOutLoss, 3))") }
    return parts.joined(separator: "  ")
}

/// The line to type where a worker is to run.
///
/// - Parameter access: the options that let it in.
package func invitation(to address: Address, access: String) -> String {
    "listening on \(address): dtrain worker --connect \(address) \(access)"
}
