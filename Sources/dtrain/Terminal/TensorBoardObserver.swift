import Checkpoint
import Events
import Foundation
import Preparation
import Watching

/// Writes `tensorboard/` in the run's folder: scalars of steps and of the held-out part, each layer's
/// norms where they are logged, the settings as text.
///
/// Nothing depends on the files: what the disk does not take is left out.
final class TensorBoardObserver: RunObserver, @unchecked Sendable {
    let name = "tensorboard"
    // Only on the observer's thread.
    private var file: FileHandle?

    func observe(_ event: RunEvent) {
        switch event.report {
        case .prepared(let summary): begin(summary, event.time)
        case .step(let step):
            let scalars: [(String, Double)] = [
                ("train/loss", step.loss), ("train/nll", step.negativeLogLikelihood),
                ("train/learning_rate", step.learningRate),
                ("train/gradient_norm", step.gradientNorm),
                ("speed/tokens_per_second", step.tokensPerSecond),
                ("speed/step_seconds", step.stepSeconds),
                ("speed/compute_seconds", step.computeSeconds),
                ("speed/fold_seconds", step.foldSeconds),
                ("speed/wait_seconds", step.waitSeconds),
            ]
            let layers = (step.layers ?? []).flatMap { layer in
                [
                    ("layers/\(layer.name)/gradient_norm", layer.gradientNorm),
                    ("layers/\(layer.name)/activation", layer.activation),
                ]
            }
            let values = scalars + layers
            put(
                TensorBoardRecord.scalars(
                    values.map { (tag: $0.0, value: $0.1) }, step: step.step, time: event.time))
        case .validated(let result):
            put(
                TensorBoardRecord.scalars(
                    [
                        (tag: "held_out/loss", value: result.loss),
                        (tag: "held_out/smoothed_loss", value: result.smoothed),
                    ], step: result.step, time: event.time))
        case .ended:
            try? file?.close()
            file = nil
        default: break
        }
    }

    private func begin(_ summary: RunSummary, _ time: Double) {
        let folder = summary.folder + "/tensorboard"
        guard (try? makeFolders(folder)) != nil else { return }
        let host = ProcessInfo.processInfo.hostName.replacing(/[^0-9A-Za-z.-]/, with: "_")
        let path = "\(folder)/events.out.tfevents.\(Int(time)).\(host).\(getpid())"
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
        let descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else { return }
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        put(TensorBoardRecord.version(time: time))
        let first = (summary.resumedFrom ?? 0) + 1
        put(TensorBoardRecord.start(step: first, time: time))
        let paths = RunPaths(summary.folder)
        guard let settings = try? paths.text(paths.configuration) else { return }
        let lines = settings.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        put(TensorBoardRecord.text(lines, tag: "settings", step: first - 1, time: time))
    }

    private func put(_ record: [UInt8]) { try? file?.write(contentsOf: Data(record)) }
}
