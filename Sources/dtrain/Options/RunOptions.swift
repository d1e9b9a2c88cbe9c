import ArgumentParser
import Checkpoint
import Page
import Preparation
import Settings
import Text
import Words

/// What `train` and `coordinator` share: the run folder and every setting of a run.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder of the run; must be new or empty unless --resume. (default: runs/<UTC time>)",
            valueName: "folder"), completion: .directory)
    var run: String?

    @Flag(
        help: """
            Continue the run in --run (default: \(RunLocation.latest)) with its saved \
            configuration. Options that change no number may change, such as --steps, --workers \
            and --time-limit; 'dtrain help settings' lists them.
            """)
    var resume = false

    @Option(
        help: ArgumentHelp(
            "YAML file of these options without the dashes; options given here override it.",
            valueName: "file"), completion: .file())
    var config: String?

    @Flag(help: "Say what would be trained (parameters, memory, steps, time) and end.")
    var dryRun = false

    @Flag(help: "Say nothing but errors and the result.")
    var quiet = false

    @Option(
        defaultAsFlag: PageAddress.standard.text,
        help: ArgumentHelp(
            "Show the run in a browser, at this address; port 0 takes a free one. (alone: \(PageAddress.standard.text))",
            valueName: "host:port"))
    var page: String?

    @Flag(help: "Write files for TensorBoard in the run folder, under tensorboard/.")
    var tensorboard = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Run this when a worker is lost, when the run has recovered, and at its end; the event's JSON is its standard input, DTRAIN_EVENT its name.",
            valueName: "command"))
    var onEvent: String?

    @OptionGroup(title: "Text") var text: SettingOptions<TextList>
    @OptionGroup(title: "Model") var model: SettingOptions<ModelList>
    @OptionGroup(title: "Training") var training: SettingOptions<TrainingList>
    @OptionGroup(title: "Reporting") var reporting: SettingOptions<ReportingList>
    @OptionGroup(title: "Cluster") var cluster: SettingOptions<ClusterList>

    /// The resolved run. Throws `Failure`.
    func request() throws(Failure) -> RunRequest {
        var given = GivenSettings()
        do {
            for layer in [
                text.given, model.given, training.given, reporting.given, cluster.given,
            ] {
                given = layer.over(given)
            }
            let config = try config.map { try Failure.path("--config", $0) }
            if let config { given = given.over(try GivenSettings(file: config)) }
            let location = try location()
            let configuration = try location.configuration(given)
            try checkPassingText(configuration, given)
            let page = try page.map {
                try pageAddress("--page", $0, isInsecure: configuration.cluster.insecure)
            }
            return RunRequest(
                configuration: configuration, location: location, dryRun: dryRun, quiet: quiet,
                mayShrink: !resume && given.text(.vocabulary) == nil, page: page,
                tensorboard: tensorboard, onEvent: onEvent)
        } catch let error as ConfigurationError {
            throw Failure(error, given: given)
        } catch {
            throw Failure(thrown: error)
        }
    }

    /// Refuses text that cannot be read: standard input twice, or a pipe of the time when the run began.
    private func checkPassingText(
        _ configuration: RunConfiguration, _ given: GivenSettings
    ) throws(Failure) {
        let settings: [Setting] = [.corpus, .source, .target, .text, .validation]
        let inputs = settings.filter {
            configuration.text($0).map(TextFile.isStandardInput) ?? false
        }
        if inputs.count > 1 {
            throw .usage(.standardInputTwice(inputs[0].flag, inputs[1].flag))
        }
        guard resume else { return }
        // Without a look at the file the checkpoint's tokenizer would do.
        if let path = given.text(.tokenizer) {
            do { _ = try ReadableFile(path) } catch { throw Failure(error) }
        }
        for setting in settings where given.text(setting) == nil {
            guard let path = configuration.text(setting), TextFile.isPassing(path) else { continue }
            throw .usage(.textNotKept(path: path, setting))
        }
    }

    /// Whether a folder without a run is fresh enough for one is judged under its lock, later.
    private func location() throws(Failure) -> RunLocation {
        let name = try run.map { name throws(Failure) in try Failure.path("--run", name) }
        let location = RunLocation(
            folder: name ?? (resume ? RunLocation.latest : RunLocation.standard()), resume: resume,
            isStandard: name == nil && !resume)
        if location.isStandard { return location }
        switch (location.content, resume) {
        case (.unfit, true):
            let what = missing(location.given) ?? shown(location.given)
            throw .usage(.resumeFindsNoRun(what))
        case (.unfit, false):
            let what = missing(location.given) ?? shown(location.given)
            throw .usage(.runNeedsFolder(what))
        case (.aRun, false):
            throw Failure(CheckpointError.notEmpty(path: location.folder))
        case (.other, true):
            let what = missing(location.given) ?? "\(shown(location.given)) holds none"
            throw .usage(.nothingToResume(what))
        case (.other, false):
            try requireFreeName(location)
            return location
        case (.aRun, true): return location
        }
    }

    /// `latest` is the name of the link to the newest run, which a run of that name would be in the way
    /// of. Throws a usage failure.
    private func requireFreeName(_ location: RunLocation) throws(Failure) {
        guard location.isNamedLatest, PathContent(at: location.given) == .nothing else { return }
        throw .usage(.runNamedLatest(location.given))
    }
}
