import Model

extension RunConfiguration {
    /// Resolves `given` over the defaults and validates the result.
    ///
    /// Throws what is wrong with a text, a value or a combination of values.
    package init(_ given: GivenSettings) throws(ConfigurationError) {
        self.init()
        for setting in given.settings { try read(setting, given.text(setting) ?? "") }
        // A limit of another kind replaces the default number of steps.
        if given.text(.steps) == nil, length.epochs != nil || length.timeLimit != nil {
            length.steps = nil
        }
        if given.text(.vocabulary) == nil, text.tokenizer != nil || text.from != nil {
            text.vocabulary = nil
        }
        // A language model has no encoder whose layers could differ.
        if architecture.kind == .languageModel {
            architecture.encoderLayers = architecture.decoderLayers
        }
        try given.checkRelations(in: self)
        try checkCompatibility(given)
        try validate()
    }

    /// Sets `setting` to what `text` stands for. Throws why it stands for nothing.
    mutating func read(_ setting: Setting, _ text: String) throws(ConfigurationError) {
        do {
            try setting.row.read(text, into: &self)
        } catch {
            throw .unfit(setting, text: text, error)
        }
    }

    /// Checks what no single setting decides; what the files hold is checked where they are read.
    private func validate() throws(ConfigurationError) {
        let (dModel, heads) = (architecture.dModel, architecture.heads)
        guard dModel.isMultiple(of: 2) else { throw .odd(.dModel, value: dModel) }
        guard dModel.isMultiple(of: heads) else {
            throw .headsDoNotDivide(heads: heads, dModel: dModel)
        }
        switch architecture.conflict {
        case .normalisationWithoutNorm: throw .senseless(.normalisation, .noNorm)
        case .finalNormNeeded: throw .senseless(.finalNorm, .noNorm)
        case .tyingWithoutEncoder: throw .senseless(.tying, .noEncoder)
        case .oddHeadWidth: throw .senseless(.positionEncoding, .oddHeadWidth(dModel / heads))
        case nil: break
        }
        guard cluster.workers <= batches.shards else {
            throw .moreWorkersThanShards(workers: cluster.workers, shards: batches.shards)
        }
    }
}

extension GivenSettings {
    /// Refuses settings that say nothing, or the opposite, beside others.
    ///
    /// A file may list what it does not use, as a run's own configuration does: there a default is
    /// no contradiction.
    fileprivate func checkRelations(in run: RunConfiguration) throws(ConfigurationError) {
        for setting in settings where isChosen(setting) {
            let row = setting.row
            if let other = row.rivals.first(where: { isChosen($0) && origin(of: $0) != .run }) {
                throw .incompatible(setting, with: other)
            }
            if let only = row.only, !only.holds(in: run), !isDefault(setting) {
                throw .onlyWith(setting, only)
            }
            if let other = row.needs, text(other) == nil {
                throw .missing(other, neededBy: setting)
            }
        }
    }

    /// Whether the setting is given, and not only to say that something is not wanted.
    private func isChosen(_ setting: Setting) -> Bool {
        guard let text = text(setting) else { return false }
        if case .flag = setting.row.kind { return text == "true" }
        return origin(of: setting) == .flag || !isDefault(setting)
    }

    private func isDefault(_ setting: Setting) -> Bool {
        text(setting) == setting.row.defaultText
    }
}
