import Settings

/// What was typed and cannot be meant, where the table of settings does not say so.
package enum OptionFault: Sendable {
    /// What an option takes.
    package enum Wanted: Sendable {
        /// Where a coordinator is.
        case address
        /// The name or the address of a host.
        case host
        /// A port, or a range of ports.
        case ports
        /// A first and a last number, from `least` up.
        case stretch(least: Int)
        /// A rule by which the length of a translation counts.
        case lengthPenalty
        /// What has started the workers.
        case engine
        /// The file of a drawing.
        case drawing
        /// The file of a report.
        case report
        /// The language of a translation.
        case language
        /// One of these.
        case names([String])
    }

    // MARK: values

    case takes(String, Wanted, not: String)
    case ringPortsEmpty(String, low: Int, high: Int)
    case minLengthAbove(String, maxLength: String)
    case moreTranslations(String, beam: Int)
    case moreHosts(Int, workers: Int)
    case moreWorkers(Int, shards: Int)
    case noWholeFloats(bytes: Int)
    case connectMissing

    // MARK: options beside each other

    /// One of these is enough.
    case giveOne([String])
    case leaveOneOut(String, String)
    /// The first means nothing beside the second.
    case saysNothing(String, beside: String)
    /// The option does what `--scores` asks for.
    case writesScores(String)
    /// Both are `-`.
    case standardInputTwice(String, String)
    /// Two files without an option are `-`.
    case filesStandardInputTwice
    /// The first means nothing without the second.
    case needs(String, String)
    case portWithoutEngine
    case heatMapWithoutAttention
    case resamplesAlone
    case onePortWithoutNetwork

    // MARK: models and scores

    case forBLEU(String)
    case forTranslators(String)
    /// An option for a model that does not translate.
    case onlyForTranslators(String)
    /// The second is only for the first.
    case onlyFor(String, String)
    case textForLanguageModels

    // MARK: folders

    case noToken(folder: String)
    case resumeFindsNoRun(String)
    /// The same, where there may be none.
    case nothingToResume(String)
    case runNeedsFolder(String)
    case runNamedLatest(String)
    /// The run has read its text from where it cannot be read again.
    case textNotKept(path: String, Setting)

    // MARK: the engine that has started the workers

    case variableMissing(String, engine: String, advice: String)
    case variableNoNumber(String, String, engine: String)
    case variableNoHost(String, String, engine: String)
    case variableNoAddress(String, String)

    // MARK: the line

    case beforeCommand(String, command: String)
    case notUTF8(String)
    case noCommand(String, of: String, advice: String)
    /// A page of the help was asked for in another form than there is.
    case topicForm(String)
    /// The same of a page that has one form.
    case topicAlone(String)
}

extension Failure {
    /// Ends the program because of what was typed.
    package static func usage(_ fault: OptionFault) -> Failure { .usage(fault.sentence) }
}

extension OptionFault.Wanted {
    fileprivate var words: String {
        switch self {
        case .address: "an address such as \(Address.standard)"
        case .host: "a name or an address such as node1 or 10.0.0.7"
        case .ports: "a port or a range such as 7000-7003"
        case .stretch(let least): "two whole numbers a..b from \(least) up"
        case .lengthPenalty: "gnmt:α or power:α with α from 0 to 10, or none"
        case .engine: "slurm, mpi or kubernetes"
        case .drawing: "a name that ends in .svg or .html"
        case .report: "a name that ends in .html or .md"
        case .language: "a code of ISO 639 and maybe a name, such as en:English"
        case .names(let names): names.joined(separator: ", ")
        }
    }
}

extension OptionFault {
    /// What is wrong, and the way out.
    package var sentence: String {
        switch self {
        case .takes(let option, let wanted, let text):
            "\(option) takes \(wanted.words), not '\(text)'"
        case .ringPortsEmpty(let text, let low, let high):
            "--ring-port \(text) is empty, give \(high)-\(low)"
        case .minLengthAbove(let least, let most):
            "--min-length \(least) is above --max-length \(most), lower it"
        case .moreTranslations(let text, let beam):
            "--n-best \(text) is more than --beam \(beam) finds, raise --beam to \(text)"
        case .moreHosts(let hosts, let workers):
            "--hosts \(hosts) is more than --workers \(workers)"
        case .moreWorkers(let workers, let shards):
            "--workers \(workers) is more than --shards \(shards), raise --shards"
        case .noWholeFloats(let bytes):
            "--bytes \(bytes) is no multiple of 4, the size of a float"
        case .connectMissing: "--connect is missing, give the coordinator's address"
        case .giveOne(let options): "\(Self.list(options)) exclude each other, give one"
        case .leaveOneOut(let one, let other):
            "\(one) and \(other) exclude each other, leave one out"
        case .saysNothing(let option, let other):
            "\(option) says nothing beside \(other), leave it out"
        case .writesScores(let option): "\(option) writes scores by itself, leave --scores out"
        case .standardInputTwice(let one, let other):
            "\(one) and \(other) cannot both be standard input, give a file for one of them"
        case .filesStandardInputTwice:
            "two files cannot both be standard input, give a file for one of them"
        case .needs(let one, let other): "\(one) needs \(other) beside it"
        case .portWithoutEngine: "--port needs --from, give the port in --connect"
        case .heatMapWithoutAttention:
            "--heat-map draws what --attention shows, give a sentence with it"
        case .resamplesAlone: "--resamples needs --confidence or --against beside it"
        case .onePortWithoutNetwork:
            "--one-port is about ipc and tcp, give --transport ipc, --transport tcp or --secure"
        case .forBLEU(let option): "\(option) is for BLEU, add bleu to --metrics or leave it out"
        case .forTranslators(let option): "\(option) is for translators, use --text"
        case .onlyForTranslators(let option): "\(option) is for translators, leave it out"
        case .onlyFor(let whom, let option): "\(option) is for \(whom), leave it out"
        case .textForLanguageModels: "--text is for language models, use --corpus"
        case .noToken(let folder):
            "\(shown(folder)) holds no token, give with --run the folder of a run that has begun, "
                + "or a token with --token-file"
        case .resumeFindsNoRun(let what):
            "--resume finds no run: \(what), give the folder of one with --run"
        case .nothingToResume(let what):
            "--resume finds no run: \(what), give the folder of one with --run or leave --resume out"
        case .runNeedsFolder(let what): "--run needs a folder: \(what), give another"
        case .runNamedLatest(let given):
            "--run \(shown(given)) is how dtrain calls the link to the newest run, give another name"
        case .textNotKept(let path, let setting):
            "the run has read its text from \(passing(path)) and keeps no copy, give the same text again "
                + "with \(setting.flag) FILE, or \(setting.flag) - for standard input"
        case .variableMissing(let name, let engine, let advice):
            "--from \(engine) finds no \(name) in the environment: \(advice)"
        case .variableNoNumber(let name, let text, let engine):
            "\(name) is '\(text)', no number that --from \(engine) can use"
        case .variableNoHost(let name, let text, let engine):
            "\(name) is '\(text)', no host that --from \(engine) can use"
        case .variableNoAddress(let name, let text):
            "\(name) is '\(text)', which names no tcp address: give --connect"
        case .beforeCommand(let option, let command):
            "\(option) stands before the command, write it behind, as in 'dtrain \(command) \(option)'"
        case .notUTF8(let text):
            "'\(text)' is not UTF-8: give another name, or reach a file of this name by a link"
        case .noCommand(let word, let path, let advice):
            "'\(word)' is no command of \(path): \(advice)"
        case .topicAlone(let topic): "'dtrain help \(topic)' takes nothing more, leave the rest out"
        case .topicForm(let topic):
            "'dtrain help \(topic)' takes --markdown alone, leave the rest out"
        }
    }

    private static func list(_ words: [String]) -> String {
        words.dropLast().joined(separator: ", ") + " and " + (words.last ?? "")
    }
}
