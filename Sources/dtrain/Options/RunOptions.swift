import ArgumentParser
import Checkpoint
import Runtime
import Settings

/// What `train` and `coordinator` share: the run folder and every setting of a run.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder of the run; must be new or empty unless --resume. (default: runs/<UTC time>)",
            valueName: "folder"))
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
            valueName: "file"))
    var config: String?

    @Flag(help: "Say what would be trained (parameters, memory, steps, time) and end.")
    var dryRun = false

    @Flag(help: "Say nothing but errors and the result.")
    var quiet = false

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
            if let config { given = given.over(try GivenSettings(file: config)) }
            let location = try location()
            return RunRequest(
                configuration: try location.configuration(given), location: location,
                dryRun: dryRun, quiet: quiet)
        } catch let error as ConfigurationError {
            throw Failure(error, given: given)
        } catch {
            throw Failure(thrown: error)
        }
    }

    /// Whether a folder without a run is fresh enough for one is judged under its lock, later.
    private func location() throws(Failure) -> RunLocation {
        let location = RunLocation(
            folder: run ?? (resume ? RunLocation.latest : RunLocation.standard()), resume: resume)
        switch (location.content, resume) {
        case (.aFile, _):
            throw .usage("--run \(location.folder) is a file, give a folder")
        case (.aRun, false):
            throw Failure(CheckpointError.notEmpty(path: location.folder))
        case (.other, true):
            throw .usage(
                """
                --resume finds no run in \(location.folder), give the folder of one with --run or \
                leave --resume out
                """)
        case (.aRun, true), (.other, false): return location
        }
    }
}
