import ArgumentParser
import Foundation
import Inference
import Preparation
import Resources
import Settings
import Words

/// A trained model and how to decode with it.
struct TrainedOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A run or one of its checkpoints.", valueName: "folder"),
        completion: .directory)
    var run = RunLocation.latest

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Width of the search; 1 is greedy.", valueName: "k"))
    var beam = Setting.beam.defaultText ?? ""

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads that compute. (default: all cores)", valueName: "n"))
    var threads: String?

    @OptionGroup var kernels: KernelOptions

    /// Loads the model, and says so if the newest checkpoint had to be passed over.
    func load() throws -> (model: TrainedModel, beam: Int, threads: Int) {
        let beam = try whole("--beam", beam, 1...64)
        let threads = try threads.map { try whole("--threads", $0, 1...1024) }
        let model = try TrainedModel(Failure.path("--run", run))
        sayPassedOver(model.checkpoint)
        return (model, beam, threads ?? Processors.usable.count)
    }
}

/// Says on standard error which damaged checkpoints are newer than the one used.
func sayPassedOver(_ found: FoundCheckpoint) {
    for rejected in found.rejected {
        warn("\(Failure(rejected.reason).cause), \(found.folder.path) is used instead")
    }
}
