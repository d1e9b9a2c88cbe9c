import Checkpoint
import Model
import Parameters
import Text

/// The files of a Marian model in transformers' form, opened and checked but for the parameters.
struct MarianSource {
    let configuration: MarianConfiguration
    let tokenizer: Tokenizer
    let weights: SafetensorsFile

    private static let weightsFile = "model.safetensors"

    /// Throws: `ImportError`, `TextError`, `CheckpointError`.
    init(_ path: String) throws {
        guard PathContent(at: path) == .folder else { throw ImportError.noFolder(path: path) }
        func file(_ name: String) throws(ImportError) -> String {
            let file = "\(path)/\(name)"
            guard PathContent(at: file) == .file else {
                throw .missing(path: path, file: name)
            }
            return file
        }
        configuration = try MarianConfiguration(file("config.json"))
        let isPickled = PathContent(at: path + "/pytorch_model.bin") == .file
        if isPickled, PathContent(at: "\(path)/\(Self.weightsFile)") == .nothing {
            throw ImportError.pickled(path: path)
        }
        weights = try SafetensorsFile(file(Self.weightsFile))
        let settings = path + "/tokenizer_config.json"
        if PathContent(at: settings) == .file {
            let reader = try ConfigurationReader(settings)
            if try reader.truth("separate_vocabs", else: false) {
                throw reader.inexpressible("separate_vocabs")
            }
        }
        let limit = 64 << 20
        let files = MarianFiles(
            source: try contents(of: file("source.spm"), atMost: limit),
            target: try contents(of: file("target.spm"), atMost: limit),
            vocabulary: try contents(of: file("vocab.json"), atMost: limit),
            size: configuration.vocabulary, pad: configuration.pad, start: configuration.start,
            end: configuration.end)
        do throws(TextError) {
            tokenizer = try Tokenizer(model: files.bytes, file: path)
        } catch {
            switch error {
            case .vocabulary(_, let at):
                throw ImportError.vocabulary(path: path + "/vocab.json", at: at)
            case .vocabularyMarks: throw ImportError.marks(path: path)
            default: throw error
            }
        }
    }

    /// Holds the configuration's sizes against the tensors, before anything is made of those sizes.
    ///
    /// Throws: `ImportError`.
    func checkSizes() throws(ImportError) {
        let c = configuration
        let names = [MarianTensors.shared, MarianTensors.encoder, MarianTensors.decoder]
        guard let table = names.lazy.compactMap({ weights[$0] }).first else {
            throw .noTensor(path: weights.path, tensor: MarianTensors.shared)
        }
        try check(table, [c.vocabulary, c.dModel])
        let inner = "model.decoder.layers.\(c.decoderLayers - 1).fc1.weight"
        guard let entry = weights[inner] else {
            throw .noTensor(path: weights.path, tensor: inner)
        }
        try check(entry, [c.dFF, c.dModel])
    }

    private func check(_ entry: TensorEntry, _ shape: [Int]) throws(ImportError) {
        guard entry.shape == shape else {
            throw .shape(
                path: weights.path, tensor: entry.name, expected: shape, found: entry.shape)
        }
    }

    /// Whether a number is added to some logit. A table of zeros is no bias.
    var hasOutputBias: Bool {
        get throws {
            guard let entry = weights[MarianTensors.bias] else { return false }
            return try values(entry).contains { $0 != 0 }
        }
    }

    /// Stores all tensors. Throws: `ImportError`, `CheckpointError`.
    func load(_ model: Transformer, into parameters: ParameterVector) throws {
        let tying = model.architecture.tying
        let tensors = MarianTensors(model, ids: tokenizer.marianIDs ?? [])
        var taken: Set<String> = []
        for tensor in tensors.all {
            let names = [tensor.name] + MarianTensors.aliases(of: tensor.name, tying)
            let found = names.compactMap { weights[$0] }
            taken.formUnion(names)
            guard let first = found.first else {
                // Without a bias the file need not hold its zeros.
                if case .table = tensor.content { continue }
                throw ImportError.noTensor(path: weights.path, tensor: tensor.name)
            }
            let values = try values(first, shape: tensor.shape)
            for other in found.dropFirst() {
                guard try self.values(other, shape: tensor.shape) == values else {
                    throw ImportError.differs(
                        path: weights.path, tensor: other.name, other: first.name)
                }
            }
            tensor.store(values, into: parameters)
        }
        try check(tensors.positions, of: model)
        taken.formUnion(MarianTensors.positionNames)
        if let stranger = weights.tensors.first(where: { !taken.contains($0.name) }) {
            throw ImportError.stranger(path: weights.path, tensor: stranger.name)
        }
        copyPadding(model, parameters)
    }

    /// Positions that the file holds must be those that dtrain computes.
    private func check(_ positions: [Float], of model: Transformer) throws {
        let shape = [model.architecture.positions, model.architecture.dModel]
        for name in MarianTensors.positionNames {
            guard let entry = weights[name] else { continue }
            let found = try values(entry, shape: shape)
            // Half precision has 11 digits of its own.
            guard zip(found, positions).allSatisfy({ abs($0 - $1) < 0.005 }) else {
                throw ImportError.differs(path: weights.path, tensor: name, other: nil)
            }
        }
    }

    /// Where the decoder begins with the padding, pad and begin mark are one row there and two here.
    private func copyPadding(_ model: Transformer, _ parameters: ParameterVector) {
        guard configuration.pad == configuration.start else { return }
        let tables = ["embedding.weight", "source_embedding.weight", "output.weight"]
        for slot in tables.compactMap({ model.layout[$0] }) {
            let width = slot.shape[1]
            let begin = slot.offset + Int(Tokenizer.begin) * width
            parameters.store(parameters.floats(begin..<begin + width), at: slot.offset)
        }
        if let slot = model.layout["output.bias"] {
            parameters[slot.offset] = parameters[slot.offset + Int(Tokenizer.begin)]
        }
    }

    private func values(_ entry: TensorEntry, shape: [Int]) throws -> [Float] {
        try check(entry, shape)
        return try values(entry)
    }

    /// The numbers of a tensor of half, brain or single precision.
    private func values(_ entry: TensorEntry) throws -> [Float] {
        switch entry.dtype {
        case .float32: return try weights.floats(entry.name)
        case .bfloat16:
            return try halves(entry) { Float(bitPattern: UInt32($0) << 16) }
        case .float16:
            return try halves(entry) { Float(Float16(bitPattern: $0)) }
        default:
            throw ImportError.type(
                path: weights.path, tensor: entry.name, type: entry.dtype.rawValue)
        }
    }

    private func halves(_ entry: TensorEntry, _ value: (UInt16) -> Float) throws -> [Float] {
        try weights.withBytes(entry.name) { bytes in
            (0..<entry.count).map { index in
                value(
                    UInt16(
                        littleEndian: bytes.loadUnaligned(
                            fromByteOffset: 2 * index, as: UInt16.self)))
            }
        }
    }
}
