import Checkpoint
import Foundation
import Model
import Parameters
import Testing
import Training

/// The core against PyTorch, one file a case: see make_golden.py and make_choices.py in Tests/Golden.
@Suite("Golden")
struct GoldenTests {
    /// The folder that DTRAIN_GOLDEN names, else Tests/Golden of this checkout.
    static let folder: String =
        ProcessInfo.processInfo.environment["DTRAIN_GOLDEN"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden").path

    static let files: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".safetensors") }.sorted()

    @Test("Golden: the folder holds reference files")
    func folderHoldsFiles() {
        #expect(!Self.files.isEmpty, "no .safetensors in \(Self.folder)")
    }

    @Test("Golden: logits, loss, gradients and ten steps agree with PyTorch", arguments: files)
    func agrees(file: String) throws {
        let reference = try GoldenCase("\(Self.folder)/\(file)")
        try reference.checkLogits()
        try reference.checkGradient()
        try reference.checkTraining()
    }
}

/// One reference file and the model that it describes.
struct GoldenCase {
    let file: SafetensorsFile
    let model: Transformer
    let input: ModelInput
    /// Words of each row that are not padding.
    let lengths: [Int]
    let columns: Int
    let smoothing: Float
    let clip: Float
    let parameters: ParameterVector
    let lane: Lane

    init(_ path: String) throws {
        file = try SafetensorsFile(path)
        model = try Transformer(Self.architecture(file))
        let target = try Self.rows(file, "tgt")
        columns = try #require(file["tgt"]).shape[1] - 1
        lengths = target.map { $0.count - 1 }
        input = ModelInput(
            source: try file["src"] == nil ? Sequences([]) : Sequences(Self.rows(file, "src")),
            decoder: Sequences(target.map { Array($0.dropLast()) }),
            labels: target.flatMap { $0.dropFirst() })
        try input.validate(for: model.architecture)
        smoothing = try #require(Float(try Self.setting(file, "label_smoothing")))
        clip = try #require(Float(try Self.setting(file, "clip_norm")))
        parameters = ParameterVector(count: model.layout.count)
        for slot in model.layout.slots {
            let values = try file.floats("param.\(slot.name)")
            #expect(try #require(file["param.\(slot.name)"]).shape == slot.shape)
            parameters.store(values, at: slot.offset)
        }
        let expected = file.tensors.filter { $0.name.hasPrefix("param.") }.count
        #expect(model.layout.slots.count == expected, "a parameter has no place in the model")
        lane = Lane(model)
    }

    static func setting(_ file: SafetensorsFile, _ name: String) throws -> String {
        try #require(file.metadata[name], "no \(name) in the metadata")
    }

    static func architecture(_ file: SafetensorsFile) throws -> Architecture {
        func number(_ name: String) throws -> Int {
            try #require(Int(try setting(file, name)))
        }
        // What only make_choices.py says.
        func other(_ name: String, else usual: String) -> String { file.metadata[name] ?? usual }
        func depth(_ name: String) throws -> Int {
            try file.metadata[name].flatMap { Int($0) } ?? number("layers")
        }
        return Architecture(
            kind: try #require(.init(rawValue: try setting(file, "architecture"))),
            norm: try #require(.init(rawValue: try setting(file, "norm"))),
            finalNorm: other("final_norm", else: "true") == "true",
            normalisation: try #require(
                .init(rawValue: other("normalisation", else: "layer"))),
            residual: other("residual", else: "true") == "true",
            activation: try #require(.init(rawValue: try setting(file, "activation"))),
            positionEncoding: try #require(
                .init(rawValue: other("position_encoding", else: "sinusoidal"))),
            tying: try #require(.init(rawValue: other("tying", else: "all"))),
            outputBias: other("output_bias", else: "false") == "true",
            sharesQueryKey: other("share_query_key", else: "false") == "true",
            dModel: try number("d_model"), encoderLayers: try depth("encoder_layers"),
            decoderLayers: try depth("decoder_layers"), dFF: try number("d_ff"),
            heads: try number("heads"), vocabulary: try number("vocabulary"), positions: 512,
            dropout: 0)
    }

    /// The rows of a matrix of ids without their padding (0).
    static func rows(_ file: SafetensorsFile, _ name: String) throws -> [[Int32]] {
        let width = try #require(file[name]).shape[1]
        let ids = try file.int64s(name)
        return stride(from: 0, to: ids.count, by: width).map { start in
            ids[start..<start + width].filter { $0 != 0 }.map { Int32($0) }
        }
    }

    var adam: AdamW {
        get throws {
            let numbers = try Self.setting(file, "adam").split(separator: ",").map {
                try #require(Double($0))
            }
            return AdamW(beta1: numbers[0], beta2: numbers[1], epsilon: numbers[2])
        }
    }

    /// Every value within `tolerance` of the expected tensor's largest entry.
    func compare(
        _ found: [Float], _ expected: [Float], _ name: String, tolerance: Float = 1e-5
    ) {
        #expect(found.count == expected.count)
        let largest = expected.reduce(0) { max($0, abs($1)) }
        let worst = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        let isFinite = found.allSatisfy { $0.isFinite }
        #expect(isFinite && worst <= tolerance * largest, "\(name): \(worst) of \(largest)")
    }

    func checkLogits() throws {
        let expected = try file.floats("logits")
        let v = model.architecture.vocabulary
        let real = lengths.enumerated().flatMap { row, length in
            Array(expected[row * columns * v..<(row * columns + length) * v])
        }
        compare(lane.logits(of: input, parameters: parameters).flatMap { $0 }, real, "logits")
        let loss = lane.loss(of: input, parameters: parameters, smoothing: smoothing)
        compare([Float(loss.smoothed / Double(loss.labels))], try file.floats("loss"), "loss")
    }

    func gradient(into gradient: ParameterVector) -> Double {
        let loss = lane.gradient(
            of: input, parameters: parameters, into: gradient, labelCount: input.labels.count,
            smoothing: smoothing, key: DropoutKey(seed: 0, step: 1, shard: 0), finished: { _ in })
        return loss.smoothed / Double(loss.labels)
    }

    func checkGradient() throws {
        let gradient = ParameterVector(count: model.layout.count)
        gradient.fill(.nan)
        let loss = self.gradient(into: gradient)
        compare([Float(loss)], try file.floats("loss"), "loss while training")
        for slot in model.layout.slots {
            compare(
                gradient.floats(slot.range), try file.floats("grad.\(slot.name)"),
                "gradient of \(slot.name)")
        }
    }

    func checkTraining() throws {
        let state = TrainingState(parameters: parameters)
        let gradient = ParameterVector(count: model.layout.count)
        var losses: [Float] = []
        var norms: [Float] = []
        for rate in try file.floats("learning_rates") {
            losses.append(Float(self.gradient(into: gradient)))
            let norm = squaredNorm(of: gradient).squareRoot()
            norms.append(Float(norm))
            state.update(
                total: gradient, adam: try adam, scale: clipScale(norm: norm, limit: clip),
                rate: rate)
        }
        compare(losses, try file.floats("losses"), "losses")
        compare(norms, try file.floats("grad_norms"), "gradient norms")
        for slot in model.layout.slots {
            compareFinal(slot, try file.floats("final.\(slot.name)"))
        }
    }

    /// The gradient of the keys' bias is zero in exact arithmetic: Adam makes noise of it.
    private func compareFinal(_ slot: Slot, _ expected: [Float]) {
        var found = parameters.floats(slot.range)
        var expected = expected
        if slot.name.hasSuffix("in_proj_bias"), !model.architecture.sharesQueryKey {
            let third = slot.count / 3
            found.removeSubrange(third..<2 * third)
            expected.removeSubrange(third..<2 * third)
        }
        compare(found, expected, "final \(slot.name)", tolerance: 1e-4)
    }
}
