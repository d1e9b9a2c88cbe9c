import ArgumentParser
import Runtime

/// How it is trained, and when that ends.
struct TrainingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: about(
            .batchTokens, "Source and target tokens of a step, all workers together.", "n"))
    var batchTokens: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .shards, "Parts of a batch whose gradients are summed in order; at least --workers.",
            "n"))
    var shards: String?

    @Option(
        parsing: .unconditional,
        help: about(.steps, "Steps in total, resumed ones included.", "n"))
    var steps: String?

    @Option(
        parsing: .unconditional,
        help: about(.epochs, "Passes over the text, instead of --steps or, with it, as well.", "n"))
    var epochs: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .timeLimit, "Checkpoint and end after this time, such as 90s, 30m or 2h.", "time"))
    var timeLimit: String?

    @Option(
        parsing: .unconditional,
        help: about(.learningRate, "Peak: lr · min(t/warmup, √(warmup/t)) at step t.", "lr"))
    var learningRate: String?

    @Option(
        parsing: .unconditional,
        help: about(.warmup, "Steps until the peak.", "n"))
    var warmup: String?

    @Option(
        parsing: .unconditional,
        help: about(.labelSmoothing, "Share of the target spread over all pieces.", "p"))
    var labelSmoothing: String?

    @Option(
        parsing: .unconditional,
        help: about(.clipNorm, "Longest gradient; 0 never clips.", "norm"))
    var clipNorm: String?

    @Option(
        parsing: .unconditional,
        help: about(.weightDecay, "Decoupled weight decay of AdamW.", "λ"))
    var weightDecay: String?

    @Option(
        parsing: .unconditional,
        help: about(.seed, "Decides parameters, batches and dropout.", "n"))
    var seed: String?

    @Option(
        name: .customLong("on-nan"), parsing: .unconditional,
        help: about(
            .onNaN, "When a loss or gradient is not a number: end, or leave that step out.",
            "stop|skip"))
    var onNaN: String?

    var given: GivenSettings {
        var given = GivenSettings()
        given.set(.batchTokens, batchTokens)
        given.set(.shards, shards)
        given.set(.steps, steps)
        given.set(.epochs, epochs)
        given.set(.timeLimit, timeLimit)
        given.set(.learningRate, learningRate)
        given.set(.warmup, warmup)
        given.set(.labelSmoothing, labelSmoothing)
        given.set(.clipNorm, clipNorm)
        given.set(.weightDecay, weightDecay)
        given.set(.seed, seed)
        given.set(.onNaN, onNaN)
        return given
    }
}
