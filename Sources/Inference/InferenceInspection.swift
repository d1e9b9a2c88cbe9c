import Checkpoint
import Model
import Preparation
import Settings

/// What a checkpoint says of itself, every byte of it checked.
package struct Inspection: Sendable {
    package let path: String
    package let step: Int
    package let epoch: Int
    /// Updates of the optimizer: steps less the skipped ones.
    package let updates: Int
    /// SHA-256 of the parameters as little-endian float32 in layout order.
    package let digest: String
    package let architecture: Architecture
    package let configuration: RunConfiguration
    package let software: String
    package let tensors: [TensorEntry]
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
        tensors = try folder.model().tensors
        self.found = found
    }

    /// Numbers in all tensors.
    package var parameters: Int { tensors.reduce(0) { $0 + $1.count } }
}
