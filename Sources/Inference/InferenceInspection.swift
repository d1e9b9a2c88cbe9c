import Checkpoint
import Model
import Preparation
import Settings

/// The facts that a checkpoint holds about itself, every byte of it checked.
package struct Inspection: Sendable {
    /// The checkpoint's folder.
    package let path: String
    /// The step after which the state was taken.
    package let step: Int
    /// The pass over the text in which that step lies.
    package let epoch: Int
    /// Updates of the optimizer: steps less the skipped ones.
    package let updates: Int
    /// SHA-256 of the parameters as little-endian float32 in layout order.
    package let digest: String
    /// The model's resolved settings.
    package let architecture: Architecture
    /// The configuration of the run that wrote it.
    package let configuration: RunConfiguration
    /// The program that wrote it: `dtrain 0.1.0`.
    package let software: String
    /// The version of the arithmetic that made it.
    package let arithmetic: Int
    /// Names, shapes and places of the tensors in `model.safetensors`.
    package let tensors: [TensorEntry]
    /// The checkpoint itself, and newer ones that were passed over as damaged.
    package let found: FoundCheckpoint

    /// Inspects a checkpoint, or the newest whole one of a run.
    ///
    /// Throws: `InferenceError`, `CheckpointError`.
    package init(_ path: String) throws {
        let found = try FoundCheckpoint(path)
        let folder = found.folder
        let facts = try CheckpointFacts(folder)
        self.path = folder.path
        step = folder.step
        epoch = folder.state.epoch
        updates = folder.state.adamCount
        digest = folder.digest
        architecture = facts.architecture
        configuration = facts.configuration
        software = facts.software
        arithmetic = folder.arithmetic
        tensors = try folder.model().tensors
        self.found = found
    }

    /// Numbers in all tensors.
    package var parameters: Int { tensors.reduce(0) { $0 + $1.count } }
}
