extension RunConfiguration {
    /// This run's configuration with what `given` changes on resume.
    ///
    /// Throws `differsFromRun` for the first setting that may not change, in the order of
    /// `Setting.allCases`, and what `init(_:)` throws.
    package func resumed(with given: GivenSettings) throws(ConfigurationError) -> RunConfiguration {
        var given = given
        // The same preset again says nothing about sizes that were given beside it.
        if given.text(.preset) == preset.rawValue { given.remove(.preset) }
        let changed = try RunConfiguration(given.over(settings))
        for setting in Setting.allCases where !setting.mayChangeOnResume {
            guard changed.text(setting) == text(setting) else {
                throw .differsFromRun(setting, given: changed.text(setting), run: text(setting))
            }
        }
        return changed
    }

    /// This run's configuration without what may change on resume, so that workers know it again.
    package var lasting: RunConfiguration {
        get throws(ConfigurationError) {
            var settings = settings
            for setting in Setting.allCases where setting.mayChangeOnResume {
                settings.remove(setting)
            }
            return try RunConfiguration(settings)
        }
    }

    private var settings: GivenSettings {
        var settings = GivenSettings()
        for setting in Setting.allCases { settings.set(setting, text(setting)) }
        return settings
    }
}
