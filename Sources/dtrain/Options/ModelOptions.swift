import ArgumentParser
import Runtime

/// What is trained.
struct ModelOptions: ParsableArguments {
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

    @Option(
        parsing: .unconditional,
        help: about(.dropout, "Probability that training drops an activation.", "p"))
    var dropout: String?

    @Option(
        parsing: .unconditional,
        help: about(.activation, "Activation of the feed-forward layers.", "relu|gelu|silu"))
    var activation: String?

    @Option(
        parsing: .unconditional,
        help: about(.norm, "LayerNorm before or after each sub-layer.", "pre|post"))
    var norm: String?

    @Option(
        parsing: .unconditional,
        help: about(.positions, "Longest sentence in tokens, marks included.", "n"))
    var positions: String?

    var given: GivenSettings {
        var given = GivenSettings()
        given.set(.preset, preset)
        given.set(.dModel, dModel)
        given.set(.layers, layers)
        given.set(.encoderLayers, encoderLayers)
        given.set(.decoderLayers, decoderLayers)
        given.set(.dFF, dFf)
        given.set(.heads, heads)
        given.set(.dropout, dropout)
        given.set(.activation, activation)
        given.set(.norm, norm)
        given.set(.positions, positions)
        return given
    }
}
