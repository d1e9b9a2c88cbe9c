import Preparation
import Settings

extension Failure {
    /// `place` is what was typed to name the value, `named` the same with the value.
    package init(
        _ fault: ValueFault, of kind: ValueKind, text: String, place: String, named: String
    ) {
        switch (fault, kind) {
        case (.empty, .path):
            self = .usage("\(place) names no file, give a path or leave it out")
        case (.empty, _), (.malformed, _):
            let hint = kind.hint(for: text).map { ": \($0)" } ?? ""
            self = .usage("\(place) takes \(kind.words), not '\(text)'\(hint)")
        case (.outOfRange, _):
            self = .usage("\(named) is out of range, give a value \(kind.limits)")
        }
    }

    /// `given` says whether a setting at fault stands in a file or on the command line.
    package init(_ error: ConfigurationError, given: GivenSettings = GivenSettings()) {
        func named(_ setting: Setting, _ value: some CustomStringConvertible) -> String {
            Self.named(setting, "\(value)", in: given)
        }
        switch error {
        case .unfit(let setting, let text, let fault):
            self.init(
                fault, of: setting.row.kind, text: text, place: Self.place(of: setting, in: given),
                named: named(setting, text))
        case .odd(let setting, let value):
            self = .usage("\(named(setting, value)) is odd, give an even number")
        case .headsDoNotDivide(let heads, let dModel):
            let choices = (1...32).filter { dModel.isMultiple(of: $0) }.map(String.init)
            self = .usage(
                """
                \(named(.heads, heads)) does not divide \(named(.dModel, dModel)), give \
                \(Self.alternatives(choices)) heads
                """)
        case .moreWorkersThanShards(let workers, let shards):
            self = .usage(
                """
                \(named(.workers, workers)) is more than \(named(.shards, shards)), give at most \
                \(shards) workers or at least \(workers) shards
                """)
        case .incompatible(let setting, let other):
            self = .usage(
                """
                \(Self.place(of: setting, in: given)) and \(Self.place(of: other, in: given)) \
                exclude each other, leave one out
                """)
        case .onlyWith(let setting, let condition):
            let place = Self.place(of: setting, in: given)
            self = .usage("\(place) makes no sense here: \(Self.words(condition, of: setting))")
        case .senseless(let setting, let reason):
            let place = Self.place(of: setting, in: given)
            self = .usage("\(place) makes no sense here: \(Self.words(reason, about: setting))")
        case .missing(let setting, let other):
            self = .usage("\(Self.place(of: other, in: given)) needs \(setting.flag) beside it")
        case .differs(let setting, let value, let run, let origin):
            self = .usage(Self.sentence(setting, value, run, origin, in: given))
        default: self.init(file: error)
        }
    }

    private init(file error: ConfigurationError) {
        switch error {
        case .unknownKey(let key, let path, let line, let nearest):
            let advice = nearest.map { "did you mean '\($0.rawValue)'?" } ?? "leave it out"
            self = .usage("'\(key)' in \(path), line \(line), is no setting: \(advice)")
        case .repeatedKey(let key, let path, let line):
            self = .usage("'\(key)' in \(path), line \(line), stands there twice, leave one out")
        case .notAScalar(let setting, let path, let line):
            self = .usage("'\(setting.rawValue)' in \(path), line \(line), needs a single value")
        case .malformedFile(let path, let line, let problem):
            let at = line.map { ", line \($0)," } ?? ""
            self = .usage("\(path)\(at) is no list of settings: \(problem)")
        case .emptyFile(let path):
            self = .usage("\(path) is empty, write lines such as 'seed: 1' into it")
        case .unreadableFile(let error):
            self = Failure(error)
        default: preconditionFailure("no sentence for \(error)")
        }
    }

    /// `--seed`, or where in a file the setting stands.
    private static func place(of setting: Setting, in given: GivenSettings) -> String {
        guard case .file(let path, let line) = given.origin(of: setting) else {
            return setting.flag
        }
        return "'\(setting.rawValue)' in \(path), line \(line),"
    }

    /// The same with its value, and whose it is if nobody has typed it.
    private static func named(
        _ setting: Setting, _ value: String, in given: GivenSettings
    ) -> String {
        switch given.origin(of: setting) {
        case .flag: "\(setting.flag) \(value)"
        case .file(let path, let line): "'\(setting.rawValue): \(value)' in \(path), line \(line),"
        case .run: "\(setting.flag) \(value) (of the run)"
        case nil: "\(setting.flag) \(value) (not given)"
        }
    }

    private static func sentence(
        _ setting: Setting, _ given: String?, _ run: String?, _ origin: ConfigurationError.Origin,
        in settings: GivenSettings
    ) -> String {
        let place = place(of: setting, in: settings)
        let values = "is \(given ?? "unset") here and \(run ?? "unset")"
        switch origin {
        case .resumed(let folder):
            let hasParameters = (try? PreparedRun.newestCheckpoint(of: folder)) != nil
            let folder = quoted(shown(folder))
            let change = typed(setting, given ?? "…")
            // What comes with another run's parameters cannot be another.
            let fits =
                setting.row.effect != .model && ![.tokenizer, .vocabulary, .from].contains(setting)
            let start = fits && hasParameters ? " --from \(folder)" : ""
            return "\(place) \(values) in the run that --resume continues: leave it out, or begin "
                + "another run by 'dtrain train --config \(folder)/configuration.yaml\(start) \(change)'"
        case .started(let folder):
            return
                "\(place) \(values) in \(shown(folder)), whose parameters --from takes, leave it "
                + "out or train without --from"
        }
    }

    private static func words(_ condition: SettingRow.Condition, of setting: Setting) -> String {
        let other = condition.setting.flag
        let values = alternatives(condition.values)
        return setting == .secure
            ? "\(other) shared and ipc carry plain numbers within a host, leave one of both out"
            : "it is for \(other) \(values), leave \(setting.flag) out or give that"
    }

    private static func words(
        _ reason: ConfigurationError.Senseless, about setting: Setting
    ) -> String {
        switch reason {
        case .noEncoder:
            "--architecture lm has no source embedding to keep apart, give all or none"
        case .noNorm: "--norm none leaves no norm to choose, leave \(setting.flag) out"
        case .inexpressible(let other, let value):
            "Marian's format cannot express \(typed(other, value)), leave one of both out"
        case .oddHeadWidth(let width):
            "rotary positions turn pairs of columns and a head has \(width), choose other --heads"
        }
    }

    package static func alternatives(_ choices: [String]) -> String {
        guard let last = choices.last, choices.count > 1 else { return choices.first ?? "" }
        return choices.dropLast().joined(separator: ", ") + " or " + last
    }
}
