/// A row of the table of settings: all that is known of one setting.
///
/// From it derive the flags and their help, and the completions of shells. So do the reading
/// and writing of YAML and JSON, and the rule of `--resume`. So do the relations between
/// settings, and the documentation.
package struct SettingRow: Sendable {
    /// A part of the help.
    package enum Group: String, CaseIterable, Sendable {
        case text, model, training, reporting, cluster
    }

    /// The things that another value would change; they decide whether it may change on `--resume`.
    package enum Effect: Sendable {
        /// The network: its parameters fit no other.
        case model
        /// The bits of the run.
        case numbers
        /// The place of the text or the tokenizer: the same elsewhere is welcome.
        case place
        /// The way of gradients: workers are told, the bits stay the same.
        case links
        /// Nothing that the bits depend on.
        case nothing

        /// Whether it may differ from the run folder's when a run is resumed.
        package var mayChangeOnResume: Bool { self != .model && self != .numbers }

        /// Whether a worker is told of it.
        var reachesWorkers: Bool { self == .model || self == .numbers || self == .links }
    }

    /// Another setting, and the values of it beside which this one makes sense.
    package struct Condition: Equatable, Sendable {
        /// The other setting.
        package let setting: Setting
        /// The values of it, as typed, beside which this one makes sense.
        package let values: [String]
    }

    /// The setting that the row describes.
    package let setting: Setting
    /// The part of the help that lists the setting.
    package internal(set) var group = Group.text
    /// The form of the values.
    package let kind: ValueKind
    /// The placeholder for the value in the help: `n`, `file`, `a|b|c`.
    package let placeholder: String
    /// A sentence without its default.
    package let help: String
    /// The default in words, where it depends on something else.
    package let standard: String?
    /// The things that another value would change.
    package let effect: Effect
    /// Settings that must not be given beside this one, as its own row says it.
    private let excludes: [Setting]
    /// The same, whichever row of the two says it, in the order of `Setting.allCases`.
    package private(set) var rivals: [Setting] = []
    /// A setting that must be given beside this one.
    package let needs: Setting?
    /// The condition on another setting; nil where there is none.
    package let only: Condition?
    /// The settings that a value of this one stands for, and replaces in the layers below it.
    /// `--preset base` over a file's `d-model: 160` means the preset's own width.
    package let replaces: [Setting]

    private let read: @Sendable (String, inout RunConfiguration) throws(ValueFault) -> Void
    private let write: @Sendable (RunConfiguration) -> String?
    private let copy: @Sendable (RunConfiguration, inout RunConfiguration) -> Void

    /// Makes the row of a setting that always has a value; `path` leads to it in a configuration.
    package init<Value>(
        _ setting: Setting, _ path: WritableKeyPath<RunConfiguration, Value> & Sendable,
        _ domain: Domain<Value>, _ help: String, _ effect: Effect = .numbers,
        standard: String? = nil, excludes: [Setting] = [], needs: Setting? = nil,
        only: Condition? = nil, replaces: [Setting] = []
    ) {
        self.init(
            setting, domain.kind, domain.placeholder, help, effect, standard, excludes, needs, only,
            replaces,
            read: { (text, run) throws(ValueFault) in run[keyPath: path] = try domain.read(text) },
            write: { domain.write($0[keyPath: path]) },
            copy: { $1[keyPath: path] = $0[keyPath: path] })
    }

    /// The row of a setting that need not have a value.
    package init<Value>(
        _ setting: Setting, _ path: WritableKeyPath<RunConfiguration, Value?> & Sendable,
        _ domain: Domain<Value>, _ help: String, _ effect: Effect = .numbers,
        standard: String? = nil, excludes: [Setting] = [], needs: Setting? = nil,
        only: Condition? = nil, replaces: [Setting] = []
    ) {
        self.init(
            setting, domain.kind, domain.placeholder, help, effect, standard, excludes, needs, only,
            replaces,
            read: { (text, run) throws(ValueFault) in run[keyPath: path] = try domain.read(text) },
            write: { $0[keyPath: path].map(domain.write) },
            copy: { $1[keyPath: path] = $0[keyPath: path] })
    }

    private init(
        _ setting: Setting, _ kind: ValueKind, _ placeholder: String, _ help: String,
        _ effect: Effect, _ standard: String?, _ excludes: [Setting], _ needs: Setting?,
        _ only: Condition?, _ replaces: [Setting],
        read: @escaping @Sendable (String, inout RunConfiguration) throws(ValueFault) -> Void,
        write: @escaping @Sendable (RunConfiguration) -> String?,
        copy: @escaping @Sendable (RunConfiguration, inout RunConfiguration) -> Void
    ) {
        self.setting = setting
        self.kind = kind
        self.placeholder = placeholder
        self.help = help
        self.effect = effect
        self.standard = standard
        self.excludes = excludes
        self.needs = needs
        self.only = only
        self.replaces = replaces
        self.read = read
        self.write = write
        self.copy = copy
    }
}

extension SettingRow {
    /// Reads `text` as this setting's value in `configuration`.
    func read(_ text: String, into configuration: inout RunConfiguration) throws(ValueFault) {
        try read(text, &configuration)
    }

    /// The value as it would be typed; nil if it is unset or makes no sense beside the others.
    package func text(_ configuration: RunConfiguration) -> String? {
        if let only, !only.holds(in: configuration) { return nil }
        return write(configuration)
    }

    /// The default as it would be typed; nil where there is none.
    var defaultText: String? { write(.standard) }

    func copy(from: RunConfiguration, to: inout RunConfiguration) { copy(from, &to) }

    /// The row of each setting, with the group and the rivals that the table gives it.
    package static let ofSetting: [Setting: SettingRow] = {
        var rows: [Setting: SettingRow] = [:]
        for (group, members) in table {
            for var row in members {
                row.group = group
                precondition(
                    rows.updateValue(row, forKey: row.setting) == nil,
                    "\(row.setting.flag) has two rows")
            }
        }
        for (setting, row) in rows {
            let rivals = Setting.allCases.filter { other in
                row.excludes.contains(other) || rows[other]?.excludes.contains(setting) == true
            }
            rows[setting]?.rivals = rivals
        }
        return rows
    }()
}

extension SettingRow.Condition {
    func holds(in configuration: RunConfiguration) -> Bool {
        setting.row.text(configuration).map(values.contains) ?? false
    }
}
