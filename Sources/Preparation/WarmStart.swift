import Settings

extension GivenSettings {
    /// These settings over the model of the run whose parameters `--from` takes.
    ///
    /// Its parameters fit no other model, and its tokenizer comes with them. Throws: `differs` for
    /// a setting that would be another model, `incompatible` for another tokenizer.
    func startingFromRun() throws(ConfigurationError) -> GivenSettings {
        guard let folder = text(.from), case .run = FirstParameters(folder),
            let found = try? PreparedRun.newestCheckpoint(of: folder),
            let start = CheckpointFacts(found.folder.state)?.configuration
        else { return self }
        var changes = self
        for setting in settings where setting.row.effect == .model {
            let value = text(setting) ?? ""
            guard try start.has(value, for: setting) else {
                throw .differs(
                    setting, given: value, run: start.text(setting), .started(folder: folder))
            }
            changes.remove(setting)
        }
        for setting in [Setting.tokenizer, .vocabulary] where text(setting) != nil {
            // A run's own configuration, given by --config, has what that run began with.
            guard origin(of: setting) != .flag else { throw .incompatible(setting, with: .from) }
            changes.remove(setting)
        }
        let model = Setting.allCases.filter { $0.row.effect == .model } + [.positions]
        var lower = GivenSettings()
        for setting in model { lower.set(setting, start.text(setting), from: .run) }
        return changes.over(lower)
    }
}
