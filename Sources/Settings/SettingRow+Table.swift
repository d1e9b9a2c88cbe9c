import Model
import Text

/// The one table of settings. A new setting costs its row here, its case in `Setting` and its
/// property. The property stands, with its default, in a group of `RunConfiguration`.
extension SettingRow {
    static var table: [(group: Group, rows: [SettingRow])] {
        [
            (.text, text), (.model, model), (.training, training), (.reporting, reporting),
            (.cluster, cluster),
        ]
    }

    private typealias Limit = Architecture.Limit

    private static let translator = Condition(setting: .architecture, values: ["encoder-decoder"])
    private static let languageModel = Condition(setting: .architecture, values: ["lm"])

    @SettingRows private static var text: [SettingRow] {
        SettingRow(
            .corpus, \.text.corpus, .path.shown("pairs.tsv"),
            "Sentence pairs, a tab between source and target.", .place,
            standard: "the embedded English–French text", excludes: [.source, .target],
            only: translator)
        SettingRow(
            .source, \.text.source, .path,
            "Source sentences, one a line, with --target instead of --corpus.", .place,
            needs: .target, only: translator)
        SettingRow(
            .target, \.text.target, .path, "Their translations, line by line.", .place,
            needs: .source, only: translator)
        SettingRow(
            .text, \.text.text, .path, "Text for --architecture lm; a blank line ends a text.",
            .place, standard: "the embedded English prose", only: languageModel)
        SettingRow(
            .validation, \.text.validation, .path.shown("pairs.tsv"),
            "Pairs (lm: text) to validate on.", .place,
            standard: "the pairs held out by a hash of their source, one in twenty")
        SettingRow(
            .tooLong, \.text.tooLong, .choice,
            "Pairs of more tokens than --positions: leave them out and count them, or stop.",
            .nothing, only: translator)
        SettingRow(
            .tokenizer, \.text.tokenizer, .path,
            "A SentencePiece model with ids 0 pad, 1 begin, 2 end, 3 unknown.", .place,
            standard: "trained on the text", excludes: [.vocabulary])
        SettingRow(
            .vocabulary, \.text.vocabulary, .whole(8...Limit.vocabulary),
            "Pieces of the tokenizer that is trained; the default shrinks to what the text allows.")
        SettingRow(
            .from, \.text.from, .origin.shown("run|file"),
            "Start from another run's parameters, tokenizer and model, or a .safetensors file.",
            standard: "at random")
    }

    @SettingRows private static var model: [SettingRow] {
        SettingRow(
            .architecture, \.architecture.kind, .choice,
            "Translates sentence pairs, or goes on with a text.", .model)
        SettingRow(
            .preset, \.presetAndSizes, .choice,
            "d-model, layers, d-ff, heads: \(Preset.list).", .model,
            replaces: [.dModel, .layers, .encoderLayers, .decoderLayers, .dFF, .heads])
        SettingRow(
            .compatibleWith, \.compatibility, .choice,
            "Make every choice of the model such that this program's format can express it.",
            .model, standard: "none", only: translator,
            replaces: [
                .shareQueryKey, .activation, .norm, .finalNorm, .normalisation, .residual,
                .positionEncoding, .tying,
            ])
        SettingRow(
            .dModel, \.architecture.dModel, .whole(2...Limit.dModel), "Width of the model.",
            .model, standard: "the preset's")
        SettingRow(
            .layers, \.layers, .whole(1...Limit.layers), "Layers of encoder and decoder each.",
            .model, standard: "the preset's", replaces: [.encoderLayers, .decoderLayers])
        SettingRow(
            .encoderLayers, \.differingEncoderLayers, .whole(1...Limit.layers),
            "Layers of the encoder.", .model, standard: "--layers", only: translator)
        SettingRow(
            .decoderLayers, \.differingDecoderLayers, .whole(1...Limit.layers),
            "Layers of the decoder.", .model, standard: "--layers")
        SettingRow(
            .dFF, \.architecture.dFF, .whole(1...Limit.dFF),
            "Width inside the feed-forward layers.", .model, standard: "the preset's")
        SettingRow(
            .heads, \.architecture.heads, .whole(1...Limit.heads),
            "Attention heads; must divide --d-model.", .model, standard: "the preset's")
        SettingRow(
            .shareQueryKey, \.architecture.sharesQueryKey, .flag,
            "Let one matrix give queries and keys.", .model)
        SettingRow(
            .dropout, \.everyDropout, .decimal(0..<1).shown("p"),
            "Probability that training drops an activation.")
        SettingRow(
            .attentionDropout, \.differingAttentionDropout, .decimal(0..<1).shown("p"),
            "Probability that training drops an attention weight.", standard: "--dropout")
        SettingRow(
            .activation, \.architecture.activation, .choice,
            "Activation of the feed-forward layers; swiglu has a gate.", .model)
        SettingRow(
            .norm, \.architecture.norm, .choice,
            "Norms before each sub-layer, after it, or nowhere.", .model)
        SettingRow(
            .finalNorm, \.architecture.finalNorm, .truth,
            "A norm behind each stack, beside those after its sub-layers.", .model,
            only: Condition(setting: .norm, values: ["post"]))
        SettingRow(
            .normalisation, \.architecture.normalisation, .choice,
            "LayerNorm, RMSNorm, or BatchNorm over a shard's tokens.", .model)
        SettingRow(
            .residual, \.architecture.residual, .truth,
            "Add each sub-layer's input to its output.", .model)
        SettingRow(
            .positions, \.architecture.positions, .whole(2...Limit.positions),
            "Longest sentence in tokens, marks included.")
        SettingRow(
            .positionEncoding, \.architecture.positionEncoding, .choice,
            "How the order of tokens is known.", .model)
        SettingRow(
            .tying, \.architecture.tying, .choice,
            "One matrix for source, target and output; for target and output; or three.", .model)
        SettingRow(
            .outputBias, \.architecture.outputBias, .truth,
            "Add a trained number to each logit.", .model)
        SettingRow(
            .initialisation, \.optimizer.initialisation, .choice,
            "First values of the layers' matrices.", replaces: [.initialDeviation])
        SettingRow(
            .initialDeviation, \.optimizer.initialDeviation, .decimal(0...1000).shown("σ"),
            "Deviation of --initialisation normal.",
            only: Condition(setting: .initialisation, values: ["normal"]))
    }

    @SettingRows private static var training: [SettingRow] {
        SettingRow(
            .batchTokens, \.batches.tokens, .whole(2...16_777_216),
            "Source and target tokens of a step, all workers together.")
        SettingRow(
            .shards, \.batches.shards, .whole(1...1024),
            "Parts of a batch whose gradients are summed in order; at least --workers.")
        SettingRow(
            .precision, \.optimizer.precision, .choice,
            "What the operands of matrix products are rounded to; all else is float32.")
        SettingRow(
            .steps, \.length.steps, .whole(1...1_000_000_000_000),
            "Steps in total, resumed ones included.", .nothing, excludes: [.epochs])
        SettingRow(
            .epochs, \.length.epochs, .whole(1...1_000_000),
            "Passes over the text in total, instead of --steps.", .nothing)
        SettingRow(
            .timeLimit, \.length.timeLimit, .span(.seconds(1)...(.hours(24 * 365))),
            "Checkpoint and end after this time, such as 90s, 30m or 2h.", .nothing)
        SettingRow(
            .learningRate, \.optimizer.learningRate, .decimal(above: 0).shown("lr"),
            "Peak: lr · min(t/warmup, √(warmup/t)) at step t.")
        SettingRow(
            .warmup, \.optimizer.warmup, .whole(1...1_000_000_000_000), "Steps until the peak.")
        SettingRow(
            .labelSmoothing, \.optimizer.labelSmoothing, .decimal(0..<1).shown("p"),
            "Share of the target spread over all pieces.")
        SettingRow(
            .clipNorm, \.optimizer.clipNorm, .decimal(from: 0).shown("norm"),
            "Longest gradient; 0 never clips.")
        SettingRow(
            .weightDecay, \.optimizer.weightDecay, .decimal(from: 0).shown("λ"),
            "Decoupled weight decay of AdamW.")
        SettingRow(
            .seed, \.optimizer.seed, .whole, "Decides parameters, batches and dropout.")
        SettingRow(
            .onNaN, \.optimizer.onNaN, .choice,
            "When a loss or gradient is not a number: end, or leave that step out.", .nothing)
    }

    @SettingRows private static var reporting: [SettingRow] {
        SettingRow(
            .checkpointEvery, \.reporting.checkpointEvery, .whole(0...),
            "Steps between checkpoints; 0 saves at the end only.", .nothing)
        SettingRow(
            .keep, \.reporting.keep, .whole(1...), "Newest checkpoints to keep.", .nothing)
        SettingRow(
            .validateEvery, \.reporting.validateEvery, .whole(0...),
            "Steps between validations; 0 is off.", .nothing)
        SettingRow(
            .logEvery, \.reporting.logEvery, .whole(0...),
            "Steps between lines where no terminal is; 0 is off.", .nothing)
        SettingRow(
            .logLayersEvery, \.reporting.logLayersEvery, .whole(0...),
            "Steps between records of every layer's gradient and activation norms; 0 is off.",
            .nothing)
        SettingRow(
            .beam, \.reporting.beam, .whole(1...64).shown("k"),
            "Beam of the translations at the end; 1 is greedy.", .nothing, only: translator)
    }

    @SettingRows private static var cluster: [SettingRow] {
        SettingRow(
            .workers, \.cluster.workers, .whole(1...),
            "Workers to start with; at most --shards.", .nothing)
        SettingRow(
            .threads, \.cluster.threads, .whole(1...1024), "Threads of each worker.", .nothing,
            standard: "the cores divided by --workers")
        SettingRow(
            .bind, \.cluster.bind, .address, "Where workers connect.", .nothing,
            standard: "a free port; coordinator: \(Address.standard)")
        SettingRow(
            .insecure, \.cluster.insecure, .flag,
            "Neither encrypt nor ask for the token: anybody on the network can read, alter and join.",
            .nothing)
        SettingRow(
            .secure, \.cluster.secure, .flag,
            "Encrypt gradients within a host too, over tcp instead of shared memory.", .nothing,
            excludes: [.insecure], only: Condition(setting: .transport, values: ["auto", "tcp"]))
        SettingRow(
            .waitForAll, \.cluster.waitForAll, .flag,
            "Start only when all --workers have joined, not 10 s after the first.", .nothing)
        SettingRow(
            .balance, \.cluster.balance, .negatableFlag,
            "Give slower workers fewer shards, by measured speed; the bits stay the same.",
            .nothing)
        SettingRow(
            .collective, \.cluster.collective, .choice,
            "How gradients are summed: in shard order, or as the textbook ring.")
        SettingRow(
            .transport, \.cluster.transport, .choice,
            "Links of the ring; auto is shared memory within a host and tcp otherwise.", .links)
        SettingRow(
            .wire, \.cluster.wire, .choice,
            "What sums of gradients are rounded to at every shard: fewer bytes on slow links.")
        SettingRow(
            .peerTimeout, \.cluster.peerTimeout, .span(TimeSpan(milliseconds: 100)...(.hours(1))),
            "Silence after which a worker counts as lost; other waits follow it.", .nothing)
    }
}

/// Lists rows without commas, each of which is typed alone.
@resultBuilder
enum SettingRows {
    static func buildBlock(_ rows: SettingRow...) -> [SettingRow] { rows }
}
