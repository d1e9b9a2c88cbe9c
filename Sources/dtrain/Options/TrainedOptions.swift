import ArgumentParser
import Runtime

/// A trained model and how to decode with it.
struct TrainedOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A run or one of its checkpoints.", valueName: "folder"))
    var run = RunLocation.latest

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Width of the search; 1 is greedy.", valueName: "k"))
    var beam = Setting.beam.defaultText ?? ""

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads that compute. (default: all cores)", valueName: "n"))
    var threads: String?

    func request() throws(Failure) -> TrainedRequest {
        var lanes: Int?
        if let threads { lanes = try whole("--threads", threads, 1...1024) }
        return TrainedRequest(
            folder: run, beam: try whole("--beam", beam, 1...64), threads: lanes)
    }
}

/// What `translate` and `evaluate` were asked about the model.
struct TrainedRequest {
    let folder: String
    let beam: Int
    /// nil takes all cores.
    let threads: Int?
}
