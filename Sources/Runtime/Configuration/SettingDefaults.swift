/// The sizes a preset stands for: the table.
package enum Preset: String, CaseIterable, Codable, Sendable {
    case tiny, small, base

    package var sizes: (dModel: Int, layers: Int, dFF: Int, heads: Int) {
        switch self {
        case .tiny: (128, 2, 512, 4)
        case .small: (256, 3, 1024, 4)
        case .base: (512, 6, 2048, 8)
        }
    }
}

extension Setting {
    /// Every default of a run, as it would be typed; nil means unset. The only such table: the
    /// help, the configuration file and the tests read it.
    package var defaultText: String? {
        switch self {
        case .tooLong: "skip"
        case .vocabulary: "4000"
        case .architecture: "encoder-decoder"
        case .preset: "tiny"
        case .shareQueryKey: "false"
        case .dropout: "0.3"
        case .activation: "relu"
        case .norm: "pre"
        case .normalisation: "layer"
        case .residual, .balance: "true"
        case .positionEncoding: "sinusoidal"
        case .tying: "all"
        case .initialisation: "xavier"
        case .positions: "256"
        case .batchTokens: "4096"
        case .shards: "8"
        case .steps: "2000"
        case .learningRate: "0.002"
        case .warmup: "200"
        case .labelSmoothing: "0.1"
        case .clipNorm: "1"
        case .weightDecay: "0"
        case .seed: "1"
        case .onNaN: "stop"
        case .checkpointEvery, .validateEvery: "200"
        case .keep: "3"
        case .logEvery: "10"
        case .logLayersEvery: "0"
        case .beam: "1"
        case .workers: "1"
        case .insecure, .secure, .waitForAll: "false"
        case .collective: "fold"
        case .transport: "auto"
        case .wire: "f32"
        case .peerTimeout: "10s"
        case .corpus, .source, .target, .text, .validation, .tokenizer, .from, .dModel, .layers,
            .encoderLayers, .decoderLayers, .dFF, .heads, .attentionDropout, .initialDeviation,
            .epochs, .timeLimit, .threads, .bind:
            nil
        }
    }
}
