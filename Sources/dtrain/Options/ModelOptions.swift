import ArgumentParser
import Runtime

/// What is trained.
struct ModelOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: about(
            .architecture, "Translates sentence pairs, or goes on with a text.",
            "encoder-decoder|lm"))
    var architecture: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .preset,
            "d-model, layers, d-ff, heads: tiny 128, 2, 512, 4; small 256, 3, 1024, 4; base 512, 6, 2048, 8.",
            "tiny|small|base"))
    var preset: String?

    @Option(
        parsing: .unconditional,
        help: about(.dModel, "Width of the model. (default: the preset's)", "n"))
    var dModel: String?

    @Option(
        parsing: .unconditional,
        help: about(.layers, "Layers of encoder and decoder each. (default: the preset's)", "n"))
    var layers: String?

    @Option(
        parsing: .unconditional,
        help: about(.encoderLayers, "Layers of the encoder. (default: --layers)", "n"))
    var encoderLayers: String?

    @Option(
        parsing: .unconditional,
        help: about(.decoderLayers, "Layers of the decoder. (default: --layers)", "n"))
    var decoderLayers: String?

    @Option(
        parsing: .unconditional,
        help: about(.dFF, "Width inside the feed-forward layers. (default: the preset's)", "n"))
    var dFf: String?

    @Option(
        parsing: .unconditional,
        help: about(.heads, "Attention heads; must divide --d-model. (default: the preset's)", "n"))
    var heads: String?

    @Flag(help: "Let one matrix give queries and keys. (default: false)")
    var shareQueryKey = false

    @Option(
        parsing: .unconditional,
        help: about(.dropout, "Probability that training drops an activation.", "p"))
    var dropout: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .attentionDropout,
            "Probability that training drops an attention weight. (default: --dropout)", "p"))
    var attentionDropout: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .activation, "Activation of the feed-forward layers; swiglu has a gate.",
            "relu|gelu|silu|sigmoid|tanh|swiglu"))
    var activation: String?

    @Option(
        parsing: .unconditional,
        help: about(.norm, "Norms before each sub-layer, after it, or nowhere.", "pre|post|none"))
    var norm: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .normalisation,
            "LayerNorm, RMSNorm, or BatchNorm over a shard's tokens.", "layer|rms|batch"))
    var normalisation: String?

    @Option(
        parsing: .unconditional,
        help: about(.residual, "Add each sub-layer's input to its output.", "true|false"))
    var residual: String?

    @Option(
        parsing: .unconditional,
        help: about(.positions, "Longest sentence in tokens, marks included.", "n"))
    var positions: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .positionEncoding, "How the order of tokens is known.",
            "sinusoidal|learned|relative|rotary|none"))
    var positionEncoding: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .tying, "One matrix for source, target and output; for target and output; or three.",
            "all|decoder|none"))
    var tying: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .initialisation, "First values of the layers' matrices.", "xavier|normal"))
    var initialisation: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .initialDeviation, "Deviation of --initialisation normal. (default: 0.02)", "σ"))
    var initialDeviation: String?

    var given: GivenSettings {
        var given = GivenSettings()
        given.set(.architecture, architecture)
        given.set(.preset, preset)
        given.set(.dModel, dModel)
        given.set(.layers, layers)
        given.set(.encoderLayers, encoderLayers)
        given.set(.decoderLayers, decoderLayers)
        given.set(.dFF, dFf)
        given.set(.heads, heads)
        given.set(.shareQueryKey, shareQueryKey ? "true" : nil)
        given.set(.dropout, dropout)
        given.set(.attentionDropout, attentionDropout)
        given.set(.activation, activation)
        given.set(.norm, norm)
        given.set(.normalisation, normalisation)
        given.set(.residual, residual)
        given.set(.positions, positions)
        given.set(.positionEncoding, positionEncoding)
        given.set(.tying, tying)
        given.set(.initialisation, initialisation)
        given.set(.initialDeviation, initialDeviation)
        return given
    }
}
