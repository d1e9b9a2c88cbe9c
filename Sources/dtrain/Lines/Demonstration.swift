import Foundation
import Inference
import Model
import Preparation
import Resources
import Settings
import Text
import Words

extension Entry {
    /// Translates held-out sentences with the run's newest checkpoint, on all cores.
    ///
    /// What was held out is at hand: the text itself may have been a pipe, or be gone. A run whose text
    /// is so small that nothing is held out has nothing to show.
    static func demonstrate(_ folder: String, _ prepared: PreparedRun) throws {
        let model = try TrainedModel(folder)
        let configuration = prepared.configuration
        switch prepared.heldOutText {
        case .passages(let passages): try demonstrate(model, passages, configuration)
        case .pairs where prepared.heldOut.samples.isEmpty: return
        case .pairs(let pairs):
            let demonstration = try model.demonstrate(
                pairs, beam: configuration.reporting.beam,
                threads: Processors.usable.count)
            try StandardOutput.write(demonstration.text)
        }
    }

    /// Ten texts out of nothing, and how well the model foretells what was held out.
    private static func demonstrate(
        _ model: TrainedModel, _ heldOut: [Passage], _ configuration: RunConfiguration
    ) throws {
        let cores = Processors.usable.count
        let sampling = Sampling(temperature: 0.8, topP: 0.95, seed: configuration.optimizer.seed)
        let texts = try model.generate(
            "", count: 10, length: 40, sampling, threads: cores
        ).texts
        for text in texts { try StandardOutput.write("generated  \(text)\n") }
        if heldOut.isEmpty { return }
        let evaluation = try model.evaluateText(heldOut, threads: cores)
        try StandardOutput.write(
            """

            \(grouped(evaluation.tokens)) held-out tokens: loss \(fixed(evaluation.loss, 3)) nats a \
            token, perplexity \(fixed(evaluation.perplexity, 2))

            """)
    }
}
