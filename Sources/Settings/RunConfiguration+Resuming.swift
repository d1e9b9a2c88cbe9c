extension RunConfiguration {
    /// The configuration that a run has saved in `path`. Throws as `init(file:)` and `init(_:)`.
    package init(savedIn path: String) throws(ConfigurationError) {
        let file = try GivenSettings(file: path)
        var saved = GivenSettings()
        for setting in file.settings { saved.set(setting, file.text(setting), from: .run) }
        try self.init(saved)
    }

    /// This run's configuration with what `given` changes on resume; `folder` is the run's.
    ///
    /// Throws `differs` for the first setting that may not change, in the order of
    /// `Setting.allCases`, and what `init(_:)` throws.
    package func resumed(
        with given: GivenSettings, in folder: String
    ) throws(ConfigurationError) -> RunConfiguration {
        var changes = given
        for setting in given.settings {
            if try has(given.text(setting) ?? "", for: setting) {
                // The same preset again says nothing about sizes that were given beside it.
                changes.remove(setting)
            } else if !setting.row.effect.mayChangeOnResume || displacesNumbers(setting) {
                if let only = setting.row.only, !only.holds(in: self) {
                    throw .onlyWith(setting, only)
                }
                throw .differs(
                    setting, given: given.text(setting), run: text(setting),
                    .resumed(folder: folder))
            }
        }
        return try RunConfiguration(changes.over(settings))
    }

    /// Whether the run has a value that must not change and that `setting` would take the place of.
    private func displacesNumbers(_ setting: Setting) -> Bool {
        setting.row.rivals.contains { rival in
            !rival.row.effect.mayChangeOnResume && text(rival) != nil
        }
    }

    /// Whether `value` says what this configuration has. Throws the
    /// fault of a value that says nothing.
    package func has(_ value: String, for setting: Setting) throws(ConfigurationError) -> Bool {
        var alone = self
        // What says nothing beside the others is not what the configuration has.
        if let only = setting.row.only, !only.holds(in: self) {
            try alone.read(setting, value)
            return value == setting.row.defaultText
        }
        try alone.read(setting, value)
        return alone.text(setting) == text(setting)
    }

    /// This run's configuration as far as workers must know it, so that they know it again.
    package var lasting: RunConfiguration {
        var lasting = RunConfiguration()
        for setting in Setting.allCases where setting.row.effect.reachesWorkers {
            setting.row.copy(from: self, to: &lasting)
        }
        return lasting
    }

    /// All of it as the lowest layer.
    package var settings: GivenSettings {
        var settings = GivenSettings()
        for (setting, text) in texts { settings.set(setting, text, from: .run) }
        return settings
    }
}
