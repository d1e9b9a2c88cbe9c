/// One setting of a run; its raw value is the flag without dashes, the key of a configuration file
/// and the key in `RUN/configuration.yaml`.
package enum Setting: String, CaseIterable, Codable, Sendable {
    // The text.
    case corpus, source, target, text, validation
    case tooLong = "too-long"
    case tokenizer, vocabulary, from
    // The model.
    case architecture, preset
    case dModel = "d-model"
    case layers
    case encoderLayers = "encoder-layers"
    case decoderLayers = "decoder-layers"
    case dFF = "d-ff"
    case heads
    case shareQueryKey = "share-query-key"
    case dropout
    case attentionDropout = "attention-dropout"
    case activation, norm, normalisation, residual, positions
    case positionEncoding = "position-encoding"
    case tying, initialisation
    case initialDeviation = "initial-deviation"
    // The training.
    case batchTokens = "batch-tokens"
    case shards, steps, epochs
    case timeLimit = "time-limit"
    case learningRate = "learning-rate"
    case warmup
    case labelSmoothing = "label-smoothing"
    case clipNorm = "clip-norm"
    case weightDecay = "weight-decay"
    case seed
    case onNaN = "on-nan"
    // What is kept and said.
    case checkpointEvery = "checkpoint-every"
    case keep
    case validateEvery = "validate-every"
    case logEvery = "log-every"
    case logLayersEvery = "log-layers-every"
    case beam
    // The cluster.
    case workers, threads, bind, insecure, secure
    case waitForAll = "wait-for-all"
    case balance, collective, transport, wire
    case peerTimeout = "peer-timeout"

    /// As typed on the command line.
    package var flag: String { "--" + rawValue }

    /// May differ from the run folder's when a run is resumed: none of these changes a number.
    package var mayChangeOnResume: Bool {
        switch self {
        case .tooLong, .steps, .workers, .threads, .bind, .insecure, .secure, .balance, .keep,
            .checkpointEvery,
            .validateEvery,
            .logEvery,
            .logLayersEvery:
            true
        default: false
        }
    }

    /// What a value of this setting stands for and therefore replaces in the layers below it:
    /// `--preset base` over a file's `d-model: 160` means the preset's own width.
    var supersedes: [Setting] {
        switch self {
        case .preset: [.dModel, .layers, .encoderLayers, .decoderLayers, .dFF, .heads]
        case .layers: [.encoderLayers, .decoderLayers]
        case .corpus: [.source, .target]
        case .source, .target: [.corpus]
        case .initialisation: [.initialDeviation]
        case .secure: [.insecure]
        case .insecure: [.secure]
        default: []
        }
    }

    /// Names a file; kept as an absolute path, so that a run resumes from any folder.
    var isPath: Bool {
        switch self {
        case .corpus, .source, .target, .text, .validation, .tokenizer, .from: true
        default: false
        }
    }
}
