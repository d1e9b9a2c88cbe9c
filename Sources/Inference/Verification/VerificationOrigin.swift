import Checkpoint
import Foundation
import Model
import Parameters
import Preparation
import Settings
import Text
import Training

/// The state from which a run is recomputed, in memory.
struct VerificationOrigin {
    let start: Verification.Start
    let prepared: PreparedRun
    /// The fingerprints by which the run knows its text.
    let memory: TextMemory
    let state: TrainingState

    /// Takes the newest checkpoint before the stretch, or the oldest if the stretch has no lower
    /// bound, of those behind which the ledger has lines; the seed where there is none.
    ///
    /// Throws: `Verification.Failure.noStart`; what text, settings and the checkpoint have to say;
    /// a checkpoint that is damaged is not passed over, for it belongs to what is verified.
    static func find(
        in run: RunPaths, before stretch: VerificationStretch, ledger: Range<Int>,
        _ configuration: RunConfiguration
    ) throws -> VerificationOrigin {
        let shelf = CheckpointShelf(run.checkpoints)
        while let path = try candidate(on: shelf, stretch, ledger) {
            do {
                let folder = try CheckpointFolder(path)
                let memory = try TextMemory(run, folder)
                let prepared = try PreparedRun(
                    configuration, memory: memory, tokenizer: Tokenizer(of: folder))
                return VerificationOrigin(
                    start: .checkpoint(path: path), prepared: prepared, memory: memory,
                    state: try state(of: folder, prepared))
            } catch  where !FileManager.default.fileExists(atPath: path) {
                // The run goes on and has pruned it meanwhile.
                continue
            }
        }
        guard ledger.lowerBound <= 1 else {
            throw Verification.Failure.noStart(run: run.folder, first: ledger.lowerBound)
        }
        return try beginning(of: run, on: shelf, configuration)
    }

    private static func beginning(
        of run: RunPaths, on shelf: CheckpointShelf, _ configuration: RunConfiguration
    ) throws -> VerificationOrigin {
        // The pieces are part of what the run was given: they are not trained anew if they are kept.
        let newest = try shelf.newestWhole().checkpoint
        let memory = try TextMemory(run, newest)
        let prepared = try PreparedRun(
            configuration, memory: memory, tokenizer: newest.flatMap { try Tokenizer(of: $0) })
        let parameters = ParameterVector(count: prepared.model.layout.count)
        let state = TrainingState(
            parameters: parameters, trainable: prepared.model.layout.trainable)
        if let other = configuration.text.from {
            try FirstParameters(other).load(prepared.model.layout, into: parameters)
        } else {
            configuration.optimizer.arithmetic.begin(state, of: prepared.model)
        }
        return VerificationOrigin(
            start: configuration.text.from == nil ? .seed : .warmStart, prepared: prepared,
            memory: memory,
            state: state)
    }

    private static func candidate(
        on shelf: CheckpointShelf, _ stretch: VerificationStretch, _ ledger: Range<Int>
    ) throws(CheckpointError) -> String? {
        let candidates = try shelf.candidates().filter { $0.step >= ledger.lowerBound - 1 }
        if let lowerBound = stretch.lowerBound {
            return candidates.first { $0.step < lowerBound }?.path
        }
        return candidates.last { $0.step < stretch.upperBound }?.path
    }

    /// θ, m and v of a checkpoint.
    static func state(
        of folder: CheckpointFolder, _ prepared: PreparedRun
    ) throws(CheckpointError) -> TrainingState {
        let vectors = (0..<3).map { _ in ParameterVector(count: prepared.model.layout.count) }
        try folder.load(prepared.model.layout, into: vectors)
        guard folder.state.adamCount <= folder.step else {
            throw .damaged(path: folder.path + "/state.json", damage: .state)
        }
        return TrainingState(
            step: folder.step, adamCount: folder.state.adamCount, parameters: vectors[0],
            trainable: prepared.model.layout.trainable, firstMoment: vectors[1],
            secondMoment: vectors[2])
    }
}
