/// One setting of a run; its raw value is the flag without dashes, the key of a configuration file
/// and the key in `RUN/configuration.yaml`. What is known of it stands in its row of the table.
package enum Setting: String, CaseIterable, Codable, Sendable {
    // The text.
    case corpus, source, target, text, validation
    case tooLong = "too-long"
    case tokenizer, vocabulary, from
    // The model.
    case architecture, preset
    case compatibleWith = "compatible-with"
    case dModel = "d-model"
    case layers
    case encoderLayers = "encoder-layers"
    case decoderLayers = "decoder-layers"
    case dFF = "d-ff"
    case heads
    case shareQueryKey = "share-query-key"
    case dropout
    case attentionDropout = "attention-dropout"
    case activation, norm
    case finalNorm = "final-norm"
    case normalisation, residual, positions
    case positionEncoding = "position-encoding"
    case tying
    case outputBias = "output-bias"
    case initialisation
    case initialDeviation = "initial-deviation"
    // The training.
    case batchTokens = "batch-tokens"
    case shards, precision, steps, epochs
    case timeLimit = "time-limit"
    case learningRate = "learning-rate"
    case warmup
    case labelSmoothing = "label-smoothing"
    case clipNorm = "clip-norm"
    case weightDecay = "weight-decay"
    case seed
    case onNaN = "on-nan"
    // The reports and checkpoints.
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

    /// The flag as it is typed on the command line.
    package var flag: String { "--" + rawValue }

    /// The setting's row in the table; every setting has one.
    package var row: SettingRow {
        guard let row = SettingRow.ofSetting[self] else {
            preconditionFailure("\(flag) has no row in the table of settings")
        }
        return row
    }

    /// The default as it would be typed; nil where there is none, or one that depends on others.
    package var defaultText: String? { row.standard == nil ? row.defaultText : nil }

    /// The settings of one part of the help, in the table's order.
    package static func of(_ group: SettingRow.Group) -> [Setting] {
        allCases.filter { $0.row.group == group }
    }
}

extension Setting {
    /// The setting whose name is at most two edits away from `name`, the first of the nearest.
    package static func nearest(to name: String) -> Setting? {
        Spelling.nearest(to: name, among: allCases.map(\.rawValue)).flatMap(Setting.init)
    }
}
