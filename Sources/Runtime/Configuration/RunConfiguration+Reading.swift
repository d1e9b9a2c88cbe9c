import Model
import Text

extension RunConfiguration {
    /// Resolves `given` over the defaults and validates the result.
    ///
    /// Throws what is wrong with a text, a value or a combination of values.
    package init(_ given: GivenSettings) throws(ConfigurationError) {
        let settings = SettingReader(given)
        let sizes: (dModel: Int, layers: Int, dFF: Int, heads: Int)
        corpus = try settings.corpus()
        text = try settings.path(.text)
        validation = try settings.path(.validation)
        tooLong = try settings.choice(.tooLong)
        tokenizer = try settings.path(.tokenizer)
        vocabulary = try settings.integer(.vocabulary)
        from = try settings.path(.from)

        architecture = try settings.choice(.architecture)
        preset = try settings.choice(.preset)
        sizes = preset.sizes
        dModel = try settings.optionalInteger(.dModel) ?? sizes.dModel
        let layers = try settings.optionalInteger(.layers) ?? sizes.layers
        decoderLayers = try settings.optionalInteger(.decoderLayers) ?? layers
        // A language model has no encoder whose layers could differ.
        encoderLayers =
            architecture == .languageModel
            ? decoderLayers : try settings.optionalInteger(.encoderLayers) ?? layers
        dFF = try settings.optionalInteger(.dFF) ?? sizes.dFF
        heads = try settings.optionalInteger(.heads) ?? sizes.heads
        sharesQueryKey = try settings.flag(.shareQueryKey)
        dropout = try settings.number(.dropout)
        attentionDropout = try settings.optionalNumber(.attentionDropout)
        activation = try settings.choice(.activation)
        norm = try settings.choice(.norm)
        normalisation = try settings.choice(.normalisation)
        residual = try settings.flag(.residual)
        positions = try settings.integer(.positions)
        positionEncoding = try settings.choice(.positionEncoding)
        tying = try settings.choice(.tying)
        initialisation = try settings.initialisation()

        batchTokens = try settings.integer(.batchTokens)
        shards = try settings.integer(.shards)
        epochs = try settings.optionalInteger(.epochs)
        timeLimit = try settings.optionalSpan(.timeLimit)
        steps = try settings.optionalInteger(.steps)
        learningRate = try settings.number(.learningRate)
        warmup = try settings.integer(.warmup)
        labelSmoothing = try settings.number(.labelSmoothing)
        clipNorm = try settings.number(.clipNorm)
        weightDecay = try settings.number(.weightDecay)
        seed = try settings.seed()
        onNaN = try settings.choice(.onNaN)

        checkpointEvery = try settings.integer(.checkpointEvery)
        keep = try settings.integer(.keep)
        validateEvery = try settings.integer(.validateEvery)
        logEvery = try settings.integer(.logEvery)
        logLayersEvery = try settings.integer(.logLayersEvery)
        beam = try settings.integer(.beam)

        workers = try settings.integer(.workers)
        threads = try settings.optionalInteger(.threads)
        bind = try settings.address(.bind)
        insecure = try settings.flag(.insecure)
        secure = try settings.flag(.secure)
        waitForAll = try settings.flag(.waitForAll)
        balance = try settings.flag(.balance)
        collective = try settings.choice(.collective)
        transport = try settings.choice(.transport)
        wire = try settings.choice(.wire)
        peerTimeout = try settings.span(.peerTimeout)
        if architecture == .languageModel, given.text(.encoderLayers) != nil {
            throw .senseless(.encoderLayers, .noEncoder)
        }
        try validate()
    }
}

/// Reads texts as values; the settings that are not given read as their defaults.
private struct SettingReader {
    private let given: GivenSettings

    init(_ given: GivenSettings) { self.given = given }

    private func text(_ setting: Setting) -> String? {
        if let text = given.text(setting) { return text }
        // A limit of another kind replaces the default number of steps.
        if setting == .steps, given.text(.epochs) != nil || given.text(.timeLimit) != nil {
            return nil
        }
        return setting.defaultText
    }

    private func required(_ setting: Setting) -> String {
        guard let text = text(setting) else {
            preconditionFailure("\(setting.flag) has no default and is read as if it had")
        }
        return text
    }

    func optionalInteger(_ setting: Setting) throws(ConfigurationError) -> Int? {
        guard let text = text(setting) else { return nil }
        guard let value = Int(text) else { throw .notAWholeNumber(setting, text: text) }
        return value
    }

    func integer(_ setting: Setting) throws(ConfigurationError) -> Int {
        let text = required(setting)
        guard let value = Int(text) else { throw .notAWholeNumber(setting, text: text) }
        return value
    }

    func seed() throws(ConfigurationError) -> UInt64 {
        let text = required(.seed)
        guard let value = UInt64(text) else { throw .notAWholeNumber(.seed, text: text) }
        return value
    }

    func number(_ setting: Setting) throws(ConfigurationError) -> Double {
        let text = required(setting)
        guard let value = Double(text), value.isFinite else {
            throw .notANumber(setting, text: text)
        }
        return value
    }

    func optionalNumber(_ setting: Setting) throws(ConfigurationError) -> Double? {
        text(setting) == nil ? nil : try number(setting)
    }

    func initialisation() throws(ConfigurationError) -> Initialisation {
        let deviation = try optionalNumber(.initialDeviation)
        switch required(.initialisation) {
        case "xavier":
            guard deviation == nil else { throw .senseless(.initialDeviation, .needsNormal) }
            return .xavier
        case "normal": return .normal(deviation: Float(deviation ?? 0.02))
        case let text: throw .notOneOf(.initialisation, text: text, choices: ["xavier", "normal"])
        }
    }

    func span(_ setting: Setting) throws(ConfigurationError) -> TimeSpan {
        let text = required(setting)
        guard let value = TimeSpan(text) else { throw .notADuration(setting, text: text) }
        return value
    }

    func optionalSpan(_ setting: Setting) throws(ConfigurationError) -> TimeSpan? {
        text(setting) == nil ? nil : try span(setting)
    }

    func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ setting: Setting
    ) throws(ConfigurationError) -> Choice {
        let text = required(setting)
        guard let value = Choice(rawValue: text) else {
            throw .notOneOf(setting, text: text, choices: Choice.allCases.map(\.rawValue))
        }
        return value
    }

    func flag(_ setting: Setting) throws(ConfigurationError) -> Bool {
        switch required(setting) {
        case "true": return true
        case "false": return false
        case let text: throw .notOneOf(setting, text: text, choices: ["true", "false"])
        }
    }

    func path(_ setting: Setting) throws(ConfigurationError) -> String? {
        guard let text = text(setting) else { return nil }
        guard !text.isEmpty else { throw .empty(setting) }
        return text
    }

    func address(_ setting: Setting) throws(ConfigurationError) -> Address? {
        guard let text = text(setting) else { return nil }
        guard let address = Address(text) else { throw .malformedAddress(setting, text: text) }
        return address
    }

    func corpus() throws(ConfigurationError) -> CorpusSource {
        let pairs = try path(.corpus)
        let source = try path(.source)
        let target = try path(.target)
        switch (pairs, source, target) {
        case (nil, nil, nil): return .embedded
        case (let pairs?, nil, nil): return .pairs(pairs)
        case (nil, let source?, let target?): return .files(source: source, target: target)
        case (nil, nil, _?): throw .missing(.source, neededBy: .target)
        case (nil, _?, nil): throw .missing(.target, neededBy: .source)
        case (_?, _?, _): throw .incompatible(.source, with: .corpus)
        case (_?, nil, _?): throw .incompatible(.target, with: .corpus)
        }
    }
}
