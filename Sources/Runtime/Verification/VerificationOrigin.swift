import Checkpoint
import Foundation
import Model
import Parameters
import Settings
import Text
import Training

/// The state from which a run is recomputed, in memory.
struct VerificationOrigin {
    let start: Verification.Start
    let prepared: PreparedRun
    let state: TrainingState

    /// Takes the newest checkpoint before the stretch, or the oldest if the stretch has no lower
    /// bound; the seed where there is none.
    ///
    /// Throws: what text, settings and the checkpoint have to say; a checkpoint that is damaged is
    /// not passed over, for it belongs to what is verified.
    static func find(
        in run: RunPaths, before stretch: VerificationStretch, _ configuration: RunConfiguration
    ) throws -> VerificationOrigin {
        let shelf = CheckpointShelf(run.checkpoints)
        while let path = try candidate(on: shelf, stretch) {
            do {
                let folder = try CheckpointFolder(path)
                let prepared = try PreparedRun(
                    configuration, tokenizer: Tokenizer(of: folder))
                return VerificationOrigin(
                    start: .checkpoint(path: path), prepared: prepared,
                    state: try state(of: folder, prepared))
            } catch  where !FileManager.default.fileExists(atPath: path) {
                // The run goes on and has pruned it meanwhile.
                continue
            }
        }
        return try beginning(on: shelf, configuration)
    }

    private static func beginning(
        on shelf: CheckpointShelf, _ configuration: RunConfiguration
    ) throws -> VerificationOrigin {
        // The pieces are part of what the run was given: they are not trained anew if they are kept.
        let newest = try shelf.newestWhole().checkpoint
        let prepared = try PreparedRun(
            configuration, tokenizer: newest.flatMap { try Tokenizer(of: $0) })
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
            state: state)
    }

    private static func candidate(
        on shelf: CheckpointShelf, _ stretch: VerificationStretch
    ) throws(CheckpointError) -> String? {
        let candidates = try shelf.candidates()
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
