import Checkpoint
import Foundation
import Parameters

/// The source of a run's first parameters, when they are not drawn at random.
package enum FirstParameters: Sendable {
    /// Another run's newest checkpoint.
    case run(String)
    /// A safetensors file, such as one that PyTorch wrote.
    case file(String)

    /// Takes a path to a file for a safetensors file, and any other for a run's folder.
    package init(_ path: String) {
        self = PathContent(at: path) == .file ? .file(path) : .run(path)
    }

    /// Stores them in `parameters`. Throws: `noRun`, `otherLayout` with the first tensor that the
    /// model lacks or has in another shape; what reading throws.
    package func load(
        _ layout: ParameterLayout, into parameters: ParameterVector
    ) throws(CheckpointError) {
        switch self {
        case .run(let path):
            let folder = try PreparedRun.newestCheckpoint(of: path).folder
            try folder.load(layout, into: [parameters])
        case .file(let path):
            let file = try SafetensorsFile(path)
            for slot in layout.slots {
                guard let tensor = file[slot.name], tensor.shape == slot.shape,
                    tensor.dtype == .float32
                else { throw .otherLayout(path: path, tensor: slot.name) }
            }
            // A tensor for which there is no place would be lost without a word.
            if let stranger = file.tensors.first(where: { layout[$0.name] == nil }) {
                throw .otherLayout(path: path, tensor: stranger.name)
            }
            for slot in layout.slots {
                parameters.store(try file.floats(slot.name), at: slot.offset)
            }
        }
    }
}
