import Runtime

extension Failure {
    /// `given` says whether a setting at fault stands in a file or on the command line.
    init(_ error: ConfigurationError, given: GivenSettings = GivenSettings()) {
        let place = error.setting.map { Self.place(of: $0, in: given) } ?? ""
        func valued(_ value: some CustomStringConvertible) -> String {
            error.setting.map { Self.place(of: $0, value: "\(value)", in: given) } ?? ""
        }
        switch error {
        case .notAWholeNumber(_, let text):
            self = .usage("\(place) takes a whole number, not '\(text)'")
        case .notANumber(_, let text):
            self = .usage("\(place) takes a number, not '\(text)'")
        case .notADuration(_, let text):
            self = .usage("\(place) takes a time such as 500ms, 10s or 2m, not '\(text)'")
        case .notOneOf(_, let text, let choices):
            self = .usage("\(place) takes \(Self.alternatives(choices)), not '\(text)'")
        case .empty:
            self = .usage("\(place) names no file, give a path or leave it out")
        case .outOfRange(_, let value, let allowed):
            self = .usage(
                "\(valued(value)) is out of range, give a value \(Self.words(allowed))")
        case .spanOutOfRange(_, let value, let low, let high):
            self = .usage("\(valued(value)) is out of range, give from \(low) to \(high)")
        case .malformedAddress(_, let text):
            self = .usage("\(place) takes an address such as \(Address.standard), not '\(text)'")
        default: self.init(combination: error)
        }
    }

    private init(combination error: ConfigurationError) {
        switch error {
        case .odd(let setting, let value):
            self = .usage("\(setting.flag) \(value) is odd, give an even number")
        case .headsDoNotDivide(let heads, let dModel):
            let choices = (1...32).filter { dModel.isMultiple(of: $0) }.map(String.init)
            self = .usage(
                """
                --heads \(heads) does not divide --d-model \(dModel), give \
                \(Self.alternatives(choices)) heads
                """)
        case .moreWorkersThanShards(let workers, let shards):
            self = .usage(
                """
                --workers \(workers) is more than --shards \(shards), give at most \(shards) \
                workers or at least \(workers) shards
                """)
        case .incompatible(let setting, let other):
            self = .usage("\(setting.flag) and \(other.flag) exclude each other, leave one out")
        case .senseless(let setting, let reason):
            self = .usage(
                "\(setting.flag) makes no sense here: \(Self.words(reason, about: setting))")
        case .missing(let setting, let other):
            self = .usage("\(other.flag) needs \(setting.flag) beside it")
        case .differsFromRun(let setting, let given, let run):
            self = .usage(
                """
                \(setting.flag) is \(run ?? "unset") in the run that --resume continues and \
                \(given ?? "unset") here, leave it out or start a new run
                """)
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
        case .unreadableFile(let error):
            self = Failure(error)
        default: preconditionFailure("no sentence for \(error)")
        }
    }

    /// `--seed`, `--seed 1`, or where in a file the setting stands.
    private static func place(
        of setting: Setting, value: String? = nil, in given: GivenSettings
    ) -> String {
        guard case .file(let path, let line) = given.origin(of: setting) else {
            return value.map { "\(setting.flag) \($0)" } ?? setting.flag
        }
        let named = value.map { "\(setting.rawValue): \($0)" } ?? setting.rawValue
        return "'\(named)' in \(path), line \(line),"
    }

    private static func words(
        _ reason: ConfigurationError.Senseless, about setting: Setting
    ) -> String {
        switch reason {
        case .needsPairs:
            "--architecture lm learns from --text and translates nothing, leave \(setting.flag) out"
        case .needsLanguageModel:
            "an encoder-decoder learns from sentence pairs, give --corpus or add --architecture lm"
        case .noEncoder where setting == .tying:
            "--architecture lm has no source embedding to keep apart, give all or none"
        case .noEncoder: "--architecture lm has no encoder, leave \(setting.flag) out"
        case .noNorm: "--norm none leaves no norm to choose, leave \(setting.flag) out"
        case .oddHeadWidth(let width):
            "rotary positions turn pairs of columns and a head has \(width), choose other --heads"
        case .needsTCP:
            "--transport shared and ipc carry plain numbers within a host, leave one of both out"
        case .needsNormal: "only --initialisation normal has a deviation, leave \(setting.flag) out"
        }
    }

    private static func words(_ allowed: ConfigurationError.Interval) -> String {
        func plain(_ value: Double) -> String {
            value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
        }
        return switch allowed {
        case .atLeast(let low): "of at least \(plain(low))"
        case .above(let low): "above \(plain(low))"
        case .between(let low, let high): "from \(plain(low)) to \(plain(high))"
        case .below(let high, let low): "from \(plain(low)) to below \(plain(high))"
        }
    }

    static func alternatives(_ choices: [String]) -> String {
        guard let last = choices.last, choices.count > 1 else { return choices.first ?? "" }
        return choices.dropLast().joined(separator: ", ") + " or " + last
    }
}
