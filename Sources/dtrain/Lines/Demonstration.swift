import Foundation
import Model
import Resources
import Runtime
import Settings

extension Demonstration {
    /// Source, output and reference of each sample, then the figures of the whole held-out part.
    var text: String {
        let shown = samples.map { sample in
            """
            source     \(sample.source)
            output     \(sample.output)
            reference  \(sample.reference)

            """
        }
        return """
            \(shown.joined(separator: "\n"))
            \(grouped(evaluation.pairs)) held-out pairs: loss \(fixed(evaluation.loss, 3)) nats a \
            token, perplexity \(fixed(evaluation.perplexity, 2)), BLEU \
            \(fixed(evaluation.bleu.score, 1))

            """
    }
}

extension Entry {
    /// Translates held-out sentences with the run's newest checkpoint, on all cores.
    ///
    /// A run whose text is so small that nothing is held out has nothing to show.
    static func demonstrate(_ location: RunLocation, _ configuration: RunConfiguration) throws {
        let model = try TrainedModel(location.folder)
        do {
            if model.kind == .languageModel { return try demonstrateText(model, configuration) }
            let demonstration = try model.demonstrate(
                beam: configuration.reporting.beam,
                threads: Processors.usable.count)
            try StandardOutput.write(demonstration.text)
        } catch InferenceError.nothingToEvaluate {
            return
        }
    }

    /// Ten texts out of nothing, and how well the model foretells what was held out.
    private static func demonstrateText(
        _ model: TrainedModel, _ configuration: RunConfiguration
    ) throws {
        let cores = Processors.usable.count
        let sampling = Sampling(temperature: 0.8, topP: 0.95, seed: configuration.optimizer.seed)
        let texts = try model.generate("", count: 10, length: 40, sampling, threads: cores)
        for text in texts { try StandardOutput.write("generated  \(text)\n") }
        let evaluation = try model.evaluateText(threads: cores)
        try StandardOutput.write(
            """

            \(grouped(evaluation.tokens)) held-out tokens: loss \(fixed(evaluation.loss, 3)) nats a \
            token, perplexity \(fixed(evaluation.perplexity, 2))

            """)
    }
}
