import Checkpoint
import Exports
import Foundation
import Model
import Settings
import TestKit
import Testing

/// The model that CTranslate2 is given: every tensor of the checkpoint in its place, nothing else.
@Suite("A CTranslate2 model")
struct CTranslate2Tests {
    /// The tensors by CTranslate2's names, taken from those of the checkpoint.
    static func expected(_ exported: Exported) throws -> [String: [Float]] {
        let a = exported.model.architecture
        let d = a.dModel
        var tensors: [String: [Float]] = [:]
        func rows(_ tensor: String, _ part: Range<Int>) throws -> ArraySlice<Float> {
            let all = try exported.floats(tensor)
            let width = exported.model.slot(tensor).shape.dropFirst().first ?? 1
            return all[part.lowerBound * width..<part.upperBound * width]
        }
        func linear(_ theirs: String, _ ours: String, _ parts: [Range<Int>]) throws {
            for kind in ["weight", "bias"] {
                tensors["\(theirs)/\(kind)"] = try parts.flatMap { try rows(ours + kind, $0) }
            }
        }
        func norm(_ theirs: String, _ ours: String) throws {
            if a.norm == .none {
                tensors["\(theirs)/gamma"] = [Float](repeating: 4_294_967_296, count: d)
                return
            }
            tensors["\(theirs)/gamma"] = try exported.floats("\(ours).weight")
            if a.normalisation == .layer {
                tensors["\(theirs)/beta"] = try exported.floats("\(ours).bias")
            }
        }
        for (side, layers, input) in [
            ("encoder", a.encoderLayers, "source_"), ("decoder", a.decoderLayers, ""),
        ] {
            for layer in 0..<layers {
                let (theirs, ours) = ("\(side)/layer_\(layer)", "\(side).layers.\(layer)")
                let shared = a.sharesQueryKey
                try linear(
                    "\(theirs)/self_attention/linear_0", "\(ours).self_attn.in_proj_",
                    shared ? [0..<d, 0..<d, d..<2 * d] : [0..<3 * d])
                try linear(
                    "\(theirs)/self_attention/linear_1", "\(ours).self_attn.out_proj.", [0..<d])
                try norm("\(theirs)/self_attention/layer_norm", "\(ours).norm1")
                if side == "decoder" {
                    let cross = "\(ours).multihead_attn."
                    try linear("\(theirs)/attention/linear_0", "\(cross)in_proj_", [0..<d])
                    try linear(
                        "\(theirs)/attention/linear_1", "\(cross)in_proj_",
                        shared ? [0..<d, d..<2 * d] : [d..<2 * d, 2 * d..<3 * d])
                    try linear("\(theirs)/attention/linear_2", "\(cross)out_proj.", [0..<d])
                    try norm("\(theirs)/attention/layer_norm", "\(ours).norm2")
                }
                try linear("\(theirs)/ffn/linear_0", "\(ours).linear1.", [0..<a.dFF])
                if a.activation == .swiglu {
                    try linear(
                        "\(theirs)/ffn/linear_0_noact", "\(ours).linear1.", [a.dFF..<2 * a.dFF])
                }
                try linear("\(theirs)/ffn/linear_1", "\(ours).linear2.", [0..<d])
                try norm("\(theirs)/ffn/layer_norm", "\(ours).norm\(side == "decoder" ? 3 : 2)")
                if a.positionEncoding == .relative {
                    let table = try exported.floats("\(input)relative.weight")
                    tensors["\(theirs)/self_attention/relative_attention_bias"] = (0..<32).flatMap {
                        bucket in (0..<a.heads).map { table[32 * $0 + bucket] }
                    }
                }
            }
            if a.norm != .none && a.finalNorm { try norm("\(side)/layer_norm", "\(side).norm") }
            switch a.positionEncoding {
            case .learned:
                tensors["\(side)/position_encodings/encodings"] = try exported.floats(
                    "\(input)positions.weight")
            case .none:
                tensors["\(side)/position_encodings/encodings"] = [Float](
                    repeating: 0, count: a.positions * d)
            case .sinusoidal:
                tensors["\(side)/position_encodings/encodings"] = (0..<a.positions * d).map {
                    place in
                    let (position, column) = (place / d, place % d)
                    let angle = Double(position) * pow(10000, -Double(column / 2 * 2) / Double(d))
                    return Float(column % 2 == 0 ? sin(angle) : cos(angle))
                }
            case .relative, .rotary: break
            }
        }
        let target = try exported.floats("embedding.weight")
        tensors["decoder/embeddings/weight"] = target
        tensors["encoder/embeddings_0/weight"] =
            a.tying == .all ? target : try exported.floats("source_embedding.weight")
        tensors["decoder/projection/weight"] =
            a.tying == .none ? try exported.floats("output.weight") : target
        let bias = a.outputBias ? try exported.floats("output.bias") : target.map { _ in 0 }
        tensors["decoder/projection/bias"] = [-1e9, -1e9] + bias[2..<a.vocabulary]
        return tensors
    }

    @Test(arguments: expressible.indices)
    func `has every tensor of the checkpoint in its place`(index: Int) throws {
        let exported = try Exported(expressible[index].choices)
        let file = try exported.binary()
        #expect(file.specification == "TransformerSpec" && file.revision == 7)
        #expect(file.names == file.names.sorted())
        let expected = try Self.expected(exported)
        #expect(file.tensors == Set(expected.keys))
        for (name, numbers) in expected {
            let found = try #require(file[name], "\(name)")
            #expect(found.type == 0 && found.shape.reduce(1, *) == numbers.count, "\(name)")
            // The sines of this test are the C library's.
            let isTable = name.hasSuffix("encodings")
            let differs = zip(found.values, numbers).contains {
                isTable ? abs($0 - $1) > 1e-6 : $0 != $1
            }
            #expect(!differs && found.values.count == numbers.count, "\(name)")
        }
        // Nothing of the checkpoint is left over.
        let numbers = exported.model.transformer.layout.slots.reduce(0) { $0 + $1.count }
        #expect(
            Set(exported.model.transformer.layout.slots.map(\.name)).count > 10 && numbers > 1000)
    }

    @Test(arguments: [
        ("relu", 0), ("silu", 2), ("swiglu", 2), ("gelu", 3), ("tanh", 5), ("sigmoid", 6),
    ])
    func `names the activation by CTranslate2's number`(activation: String, number: Int) throws {
        let file = try Exported([(.activation, activation)], steps: 1).binary()
        for side in ["encoder", "decoder"] {
            #expect(file["\(side)/activation"]?.values == [Float(number)])
            #expect(file["\(side)/num_heads"]?.values == [2])
            #expect(file["\(side)/pre_norm"]?.values == [1])
            #expect(file["\(side)/scale_embeddings"]?.values == [1])
        }
    }

    @Test func `of post norm has the last norm, which the engine runs`() throws {
        let file = try Exported([(.norm, "post")], steps: 1).binary()
        #expect(file["decoder/pre_norm"]?.values == [0] && file["encoder/pre_norm"]?.values == [0])
        #expect(file["decoder/layer_norm/gamma"] != nil && file["encoder/layer_norm/beta"] != nil)
    }

    @Test func `of rotary positions turns neighbouring columns of a whole head`() throws {
        let file = try Exported([(.positionEncoding, "rotary")], steps: 1).binary()
        let scope = "decoder/layer_0/self_attention"
        #expect(file["\(scope)/rotary_dim"]?.values == [0])
        #expect(file["\(scope)/rotary_interleave"]?.values == [1])
        #expect(file["\(scope)/rotary_base"]?.values == [10_000])
        #expect(file["decoder/position_encodings/encodings"] == nil)
    }

    @Test func `writes a tied matrix once`() throws {
        let tied = try Exported(steps: 1).binary()
        #expect(tied.aliases["decoder/projection/weight"] == "decoder/embeddings/weight")
        #expect(tied.aliases["encoder/embeddings_0/weight"] == "decoder/embeddings/weight")
        let untied = try Exported([(.tying, "none")], steps: 1).binary()
        #expect(untied.aliases["decoder/projection/weight"] == nil)
        let shared = try Exported([(.positionEncoding, "relative"), (.layers, "2")], steps: 1)
            .binary()
        let bias = "self_attention/relative_attention_bias"
        #expect(shared.aliases["decoder/layer_1/\(bias)"] == "decoder/layer_0/\(bias)")
        #expect(shared.aliases["encoder/layer_0/\(bias)"] == nil)
    }

    @Test func `of a language model is a decoder alone`() throws {
        let folder = try TemporaryFolder()
        let exported = try Exported(text(in: folder))
        let file = try exported.binary()
        #expect(file.specification == "TransformerDecoderSpec" && file.revision == 8)
        #expect(file.names.allSatisfy { $0.hasPrefix("decoder/") })
        #expect(!file.tensors.contains { $0.contains("/attention/") })
        #expect(
            file["decoder/layer_0/ffn/layer_norm/gamma"]?.values
                == (try exported.floats("layers.0.norm2.weight")))
        try exported.write(CTranslate2Format(.float32), to: "lm")
        #expect(
            try exported.folder.file("lm").names == [
                "README.md", "SHA256SUMS", "config.json", "model.bin", "tokenizer.model",
                "vocabulary.json",
            ])
    }

    private func text(in folder: TemporaryFolder) throws -> [(Setting, String)] {
        let text = try folder.write(TrainedRun.text, to: "text.txt")
        return [(.architecture, "lm"), (.text, text)]
    }

    @Test func `rounds weights to the nearest bfloat16`() throws {
        let exported = try Exported()
        let (whole, half) = (try exported.binary(), try exported.binary(.bfloat16))
        #expect(whole.names == half.names)
        for name in whole.tensors {
            let (from, to) = (try #require(whole[name]), try #require(half[name]))
            #expect(to.type == 5 && to.shape == from.shape)
            for (x, y) in zip(from.values, to.values) {
                // Half of a unit in the eighth binary digit.
                #expect(abs(x - y) <= abs(x) * 0x1p-8, "\(name): \(x) is \(y)")
            }
        }
    }

    @Test func `makes whole numbers of matrices, with a scale a row`() throws {
        let exported = try Exported()
        let (whole, small) = (try exported.binary(), try exported.binary(.int8))
        var matrices = 0
        for name in whole.tensors {
            let (from, to) = (try #require(whole[name]), try #require(small[name]))
            guard to.type == 1 else {
                #expect(
                    to.type == 0 && to.values == from.values && !name.hasSuffix("/weight"),
                    "\(name)")
                continue
            }
            matrices += 1
            #expect(name.hasSuffix("/weight") && to.shape == from.shape, "\(name)")
            let target = small.aliases[name] ?? name
            let scales = try #require(small["\(target)_scale"])
            #expect(scales.type == 0 && scales.shape == [from.shape[0]])
            let columns = from.shape[1]
            for (row, scale) in scales.values.enumerated() {
                let part = columns * row..<columns * (row + 1)
                let (x, q) = (Array(from.values[part]), Array(to.values[part]))
                #expect(q.map(abs).max() == 127, "\(name), row \(row)")
                #expect(
                    zip(x, q).allSatisfy { abs($0 * scale - $1) <= 0.5001 }, "\(name), row \(row)")
            }
        }
        #expect(matrices == 3 + 2 * 2 + 2 * 2 + 3)
    }

    @Test func `tells the engine the marks, and its vocabulary in the order of ids`() throws {
        let exported = try Exported()
        try exported.write(CTranslate2Format(.float32), to: "model")
        let config = try #require(
            JSONSerialization.jsonObject(with: Data(exported.bytes("model/config.json")))
                as? [String: Any])
        #expect(config["bos_token"] as? String == "<s>" && config["eos_token"] as? String == "</s>")
        #expect(config["decoder_start_token"] as? String == "<s>")
        #expect(config["unk_token"] as? String == "<unk>")
        #expect(config["add_source_bos"] as? Bool == false)
        #expect(config["add_source_eos"] as? Bool == true)
        #expect(config["layer_norm_epsilon"] as? Double == 1e-5)
        let words = try #require(
            JSONSerialization.jsonObject(
                with: Data(exported.bytes("model/shared_vocabulary.json"))) as? [String])
        #expect(words.count == exported.model.architecture.vocabulary)
        #expect(words.prefix(4) == ["<pad>", "<s>", "</s>", "<unk>"])
        #expect(Set(words).count == words.count)
        let ids = try exported.model.tokenizer.encode("the cat")
        #expect(ids.map { words[Int($0)] }.joined() == "▁the▁cat")
        #expect(try exported.bytes("model/tokenizer.model") == exported.model.tokenizer.model)
    }

    @Test(arguments: [
        ([(Setting.residual, "false")], ExportError.Obstacle.noResidual),
        ([(Setting.normalisation, "batch")], .batchNorm),
    ])
    func `is refused where CTranslate2 cannot compute it, and nothing is written`(
        choices: [(Setting, String)], obstacle: ExportError.Obstacle
    ) throws {
        let exported = try Exported(choices, steps: 1)
        #expect(throws: ExportError.notExpressible(format: "ctranslate2", obstacle)) {
            try exported.write(CTranslate2Format(.float32), to: "model")
        }
        #expect(try !exported.folder.entries.contains { $0.contains("model") })
    }
}

extension URL {
    /// The names in a folder.
    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}
