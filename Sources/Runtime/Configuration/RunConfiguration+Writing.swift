import Model
import Yams

extension RunConfiguration {
    /// The value of `setting` as it would be typed; nil if it is unset. Reading the texts of all
    /// settings gives this configuration again.
    package func text(_ setting: Setting) -> String? {
        switch setting {
        case .corpus: if case .pairs(let path) = corpus { path } else { nil }
        case .source: if case .files(let path, _) = corpus { path } else { nil }
        case .target: if case .files(_, let path) = corpus { path } else { nil }
        case .text: text
        case .validation: validation
        case .tooLong: tooLong.rawValue
        case .tokenizer: tokenizer
        case .vocabulary: String(vocabulary)
        case .from: from
        case .architecture: architecture.rawValue
        case .preset: preset.rawValue
        case .dModel: String(dModel)
        case .layers: encoderLayers == decoderLayers ? String(encoderLayers) : nil
        case .encoderLayers: encoderLayers == decoderLayers ? nil : String(encoderLayers)
        case .decoderLayers: encoderLayers == decoderLayers ? nil : String(decoderLayers)
        case .dFF: String(dFF)
        case .heads: String(heads)
        case .positions: String(positions)
        default: choiceText(setting)
        }
    }

    private func choiceText(_ setting: Setting) -> String? {
        switch setting {
        case .shareQueryKey: String(sharesQueryKey)
        case .dropout: Self.shortest(dropout)
        case .attentionDropout: attentionDropout.map(Self.shortest)
        case .activation: activation.rawValue
        case .norm: norm.rawValue
        case .normalisation: normalisation.rawValue
        case .residual: String(residual)
        case .positionEncoding: positionEncoding.rawValue
        case .tying: tying.rawValue
        case .initialisation: initialisation == .xavier ? "xavier" : "normal"
        case .initialDeviation:
            if case .normal(let deviation) = initialisation { String(deviation) } else { nil }
        default: trainingText(setting)
        }
    }

    private func trainingText(_ setting: Setting) -> String? {
        switch setting {
        case .batchTokens: String(batchTokens)
        case .shards: String(shards)
        case .steps: steps.map { String($0) }
        case .epochs: epochs.map { String($0) }
        case .timeLimit: timeLimit?.description
        case .learningRate: Self.shortest(learningRate)
        case .warmup: String(warmup)
        case .labelSmoothing: Self.shortest(labelSmoothing)
        case .clipNorm: Self.shortest(clipNorm)
        case .weightDecay: Self.shortest(weightDecay)
        case .seed: String(seed)
        case .onNaN: onNaN.rawValue
        case .checkpointEvery: String(checkpointEvery)
        case .keep: String(keep)
        case .validateEvery: String(validateEvery)
        case .logEvery: String(logEvery)
        case .logLayersEvery: String(logLayersEvery)
        case .beam: String(beam)
        case .workers: String(workers)
        case .threads: threads.map { String($0) }
        case .bind: bind?.description
        case .insecure: String(insecure)
        case .secure: String(secure)
        case .waitForAll: String(waitForAll)
        case .balance: String(balance)
        case .collective: collective.rawValue
        case .transport: transport.rawValue
        case .wire: wire.rawValue
        case .peerTimeout: peerTimeout.description
        default: preconditionFailure("\(setting.flag) is written as no text")
        }
    }

    /// The texts of the settings that are set, in the order of `Setting.allCases`.
    var texts: [(setting: Setting, text: String)] {
        Setting.allCases.compactMap { setting in text(setting).map { (setting, $0) } }
    }

    /// The resolved settings as `key: value` lines, which `--config` and `--resume` read.
    package var yaml: String {
        let pairs = texts.map { (Node($0.setting.rawValue), Node($0.text)) }
        do {
            return try Yams.serialize(node: Node(pairs))
        } catch {
            preconditionFailure("a mapping of scalars does not serialize: \(error)")
        }
    }

    private static func shortest(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}

/// One object of texts, as in the configuration file; what is decoded is validated.
extension RunConfiguration: Codable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(
            Dictionary(uniqueKeysWithValues: texts.map { ($0.setting.rawValue, $0.text) }))
    }

    package init(from decoder: any Decoder) throws {
        let texts = try decoder.singleValueContainer().decode([String: String].self)
        var given = GivenSettings()
        for (key, text) in texts {
            guard let setting = Setting(rawValue: key) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "no setting \(key)"))
            }
            given.set(setting, text)
        }
        try self.init(given)
    }
}
