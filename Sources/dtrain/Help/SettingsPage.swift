import Settings
import Words

/// The table of settings for people: `dtrain help settings` and the documentation's page.
enum SettingsPage {
    static var markdown: String {
        let parts = SettingRow.Group.allCases.map { group in
            let rows = Setting.of(group).map { line($0.row) }
            return """
                ## \(group.title)

                | Setting | Values | Default | On `--resume` | What it does |
                |---|---|---|---|---|
                \(rows.joined(separator: "\n"))
                """
        }
        return """
            # Settings

            Every setting is an option of `dtrain train` and `dtrain coordinator`, and a key of a \
            `--config` file. `RUN/configuration.yaml` holds the resolved values.

            `dtrain help settings --markdown` prints this page from the table of settings; a test \
            compares both.

            \(parts.joined(separator: "\n\n"))

            """
    }

    private static func line(_ row: SettingRow) -> String {
        let cells = [
            "`\(row.setting.flag)`", values(row), row.standard ?? row.setting.defaultText ?? "none",
            row.effect.onResume, row.help + relations(row),
        ]
        return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }

    private static func values(_ row: SettingRow) -> String {
        switch row.kind {
        case .flag(negatable: false): "given or not"
        case .flag(negatable: true): "given, or as `--no-\(row.setting.rawValue)`"
        default: row.kind.words
        }
    }

    private static func relations(_ row: SettingRow) -> String {
        var words = ""
        if !row.rivals.isEmpty {
            words += " Not beside \(Failure.alternatives(row.rivals.map(\.flag)))."
        }
        if let needs = row.needs { words += " Needs \(needs.flag)." }
        if let only = row.only {
            words += " Only with \(only.setting.flag) \(Failure.alternatives(only.values))."
        }
        return words
    }

    static var text: String {
        let parts = SettingRow.Group.allCases.map { group in
            let rows = Setting.of(group).map { setting in
                let row = setting.row
                let standard = row.standard ?? setting.defaultText ?? "none"
                return "  \(padded("\(setting.flag) \(row.valueInHelp)", 26)) "
                    + "\(padded(row.effect.onResume, 22)) \(standard)"
            }
            return "\(group.title.uppercased()):\n" + rows.joined(separator: "\n")
        }
        return """
            Settings of a run: the option, whether it may change on --resume, its default.
            A --config file has them as 'key: value', without the dashes. 'dtrain train --help' says what
            each does, 'dtrain help settings --markdown' all of it in one table.

            \(parts.joined(separator: "\n\n"))

            """
    }
}

extension SettingRow {
    /// Long lists of names are left to the help of commands.
    fileprivate var valueInHelp: String {
        if case .flag = kind { return "" }
        return placeholder.utf8.count > 10 ? "…" : "<\(placeholder)>"
    }
}

extension SettingRow.Group {
    fileprivate var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}

extension SettingRow.Effect {
    fileprivate var onResume: String {
        switch self {
        case .model, .numbers: "refused"
        case .place: "for the same content"
        case .links, .nothing: "may change"
        }
    }
}
