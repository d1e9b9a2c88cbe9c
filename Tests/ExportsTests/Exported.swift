import Checkpoint
import Exports
import Foundation
import Inference
import Model
import Settings
import TestKit

/// A small trained model of some choices, and its exports.
struct Exported {
    let folder: TemporaryFolder
    let run: TrainedRun
    let model: ExportedModel

    init(_ choices: [(Setting, String)] = [], steps: Int = 3) throws {
        folder = try TemporaryFolder()
        run = try TrainedRun(in: folder, steps: [steps], settings: choices)
        model = try ExportedModel(TrainedModel(run.path))
    }

    /// The parameters of a tensor of the checkpoint.
    func floats(_ tensor: String) throws -> [Float] {
        try model.checkpoint.model().floats(tensor)
    }

    /// Exports to the folder `name`.
    @discardableResult
    func write(_ format: some ExportFormat, to name: String) throws -> [(name: String, bytes: Int)]
    {
        try Export.write(model, as: format, card: "# a card\n", to: folder.file(name).path)
    }

    func bytes(_ file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.file(file)))
    }

    /// The `model.bin` of an export.
    func binary(_ numbers: NumberType = .float32) throws -> CTranslate2File {
        let name = "ct2-\(UUID().uuidString)"
        try write(CTranslate2Format(numbers), to: name)
        return try CTranslate2File(bytes("\(name)/model.bin"))
    }
}

/// The choices of a model that CTranslate2 can express, by name.
let expressible: [(name: String, choices: [(Setting, String)])] = [
    ("defaults", []),
    ("post norm, relu", [(.norm, "post"), (.activation, "relu")]),
    (
        "no norm, tanh, no positions",
        [(.norm, "none"), (.activation, "tanh"), (.positionEncoding, "none")]
    ),
    (
        "post rms norm, sigmoid",
        [(.norm, "post"), (.normalisation, "rms"), (.activation, "sigmoid")]
    ),
    (
        "post norm but for the last, swish, biased logits",
        [(.norm, "post"), (.finalNorm, "false"), (.activation, "silu"), (.outputBias, "true")]
    ),
    (
        "silu, learned, tying decoder",
        [(.activation, "silu"), (.positionEncoding, "learned"), (.tying, "decoder")]
    ),
    ("relative, untied", [(.positionEncoding, "relative"), (.tying, "none"), (.layers, "2")]),
    (
        "rms, swiglu, rotary, shared query and key",
        [
            (.normalisation, "rms"), (.activation, "swiglu"), (.positionEncoding, "rotary"),
            (.shareQueryKey, "true"), (.encoderLayers, "2"),
        ]
    ),
]
