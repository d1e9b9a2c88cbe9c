import Model

extension RunConfiguration {
    /// Checks every value and combination; what the files hold is checked where they are read.
    ///
    package func validate() throws(ConfigurationError) {
        try validateModel()
        try validateChoices()
        try validateTraining()
        try validateCluster()
    }

    private typealias Limit = Architecture.Limit

    private func validateModel() throws(ConfigurationError) {
        try check(.vocabulary, vocabulary, .between(8, Double(Limit.vocabulary)))
        try check(.dModel, dModel, .between(2, Double(Limit.dModel)))
        guard dModel.isMultiple(of: 2) else { throw .odd(.dModel, value: dModel) }
        try check(.encoderLayers, encoderLayers, .between(1, Double(Limit.layers)))
        try check(.decoderLayers, decoderLayers, .between(1, Double(Limit.layers)))
        try check(.dFF, dFF, .between(1, Double(Limit.dFF)))
        try check(.heads, heads, .between(1, Double(Limit.heads)))
        guard dModel.isMultiple(of: heads) else {
            throw .headsDoNotDivide(heads: heads, dModel: dModel)
        }
        try check(.dropout, dropout, .below(1, from: 0))
        if let attentionDropout {
            try check(.attentionDropout, attentionDropout, .below(1, from: 0))
        }
        if case .normal(let deviation) = initialisation {
            try check(.initialDeviation, Double(deviation), .between(0, 1000))
        }
        try check(.positions, positions, .between(2, Double(Limit.positions)))
    }

    /// Refuses choices that make no sense beside others.
    private func validateChoices() throws(ConfigurationError) {
        switch architecture {
        case .encoderDecoder:
            if text != nil { throw .senseless(.text, .needsLanguageModel) }
        case .languageModel:
            switch corpus {
            case .embedded: break
            case .pairs: throw .senseless(.corpus, .needsPairs)
            case .files: throw .senseless(.source, .needsPairs)
            }
            guard beam == 1 else { throw .senseless(.beam, .needsPairs) }
        }
        switch Architecture(self, vocabulary: vocabulary).conflict {
        case .normalisationWithoutNorm: throw .senseless(.normalisation, .noNorm)
        case .tyingWithoutEncoder: throw .senseless(.tying, .noEncoder)
        case .oddHeadWidth:
            throw .senseless(.positionEncoding, .oddHeadWidth(dModel / heads))
        case nil: break
        }
    }

    private func validateTraining() throws(ConfigurationError) {
        try check(.batchTokens, batchTokens, .between(2, 16_777_216))
        try check(.shards, shards, .between(1, 1024))
        if let steps { try check(.steps, steps, .between(1, 1e12)) }
        if let epochs { try check(.epochs, epochs, .between(1, 1e6)) }
        if let timeLimit {
            try check(.timeLimit, timeLimit, .seconds(1), .hours(24 * 365))
        }
        try check(.learningRate, learningRate, .above(0))
        try check(.warmup, warmup, .between(1, 1e12))
        try check(.labelSmoothing, labelSmoothing, .below(1, from: 0))
        try check(.clipNorm, clipNorm, .atLeast(0))
        try check(.weightDecay, weightDecay, .atLeast(0))
        try check(.checkpointEvery, checkpointEvery, .atLeast(0))
        try check(.keep, keep, .atLeast(1))
        try check(.validateEvery, validateEvery, .atLeast(0))
        try check(.logEvery, logEvery, .atLeast(0))
        try check(.logLayersEvery, logLayersEvery, .atLeast(0))
        try check(.beam, beam, .between(1, 64))
    }

    private func validateCluster() throws(ConfigurationError) {
        try check(.workers, workers, .atLeast(1))
        guard workers <= shards else {
            throw .moreWorkersThanShards(workers: workers, shards: shards)
        }
        if let threads { try check(.threads, threads, .between(1, 1024)) }
        if secure && insecure { throw .incompatible(.secure, with: .insecure) }
        if secure && (transport == .shared || transport == .ipc) {
            throw .senseless(.secure, .needsTCP)
        }
        try check(.peerTimeout, peerTimeout, TimeSpan(milliseconds: 100), .hours(1))
    }

    private func check(
        _ setting: Setting, _ value: TimeSpan, _ low: TimeSpan, _ high: TimeSpan
    ) throws(ConfigurationError) {
        guard value >= low, value <= high else {
            throw .spanOutOfRange(setting, value: value, from: low, to: high)
        }
    }

    private func check(
        _ setting: Setting, _ value: Int, _ allowed: ConfigurationError.Interval
    ) throws(ConfigurationError) {
        guard allowed.contains(Double(value)) else {
            throw .outOfRange(setting, value: String(value), allowed: allowed)
        }
    }

    private func check(
        _ setting: Setting, _ value: Double, _ allowed: ConfigurationError.Interval
    ) throws(ConfigurationError) {
        guard allowed.contains(value) else {
            throw .outOfRange(setting, value: String(value), allowed: allowed)
        }
    }
}

extension ConfigurationError.Interval {
    fileprivate func contains(_ value: Double) -> Bool {
        switch self {
        case .atLeast(let low): value >= low
        case .above(let low): value > low
        case .between(let low, let high): value >= low && value <= high
        case .below(let high, let low): value >= low && value < high
        }
    }
}
