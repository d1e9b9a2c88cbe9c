import Yams

extension RunConfiguration {
    /// The value of `setting` as it would be typed; nil if it is unset. Reading the texts of all
    /// settings gives this configuration again.
    package func text(_ setting: Setting) -> String? { setting.row.text(self) }

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
}

/// One object of texts, as in the configuration file; what is decoded is validated.
extension RunConfiguration: Codable {
    /// Writes the texts of the settings that are set, as one object.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(
            Dictionary(uniqueKeysWithValues: texts.map { ($0.setting.rawValue, $0.text) }))
    }

    /// Reads an object of texts. Throws `DecodingError` over an unknown
    /// key, and what `init(_:)` throws.
    package init(from decoder: any Decoder) throws {
        let texts = try decoder.singleValueContainer().decode([String: String].self)
        var given = GivenSettings()
        for (key, text) in texts {
            guard let setting = Setting(rawValue: key) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "no setting \(key)"))
            }
            given.set(setting, text, from: .run)
        }
        try self.init(given)
    }
}
