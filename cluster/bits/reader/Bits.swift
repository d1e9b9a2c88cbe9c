import Checkpoint
import Foundation
import Inference
import Kernels
import Model
import Preparation
import Settings
import Text
import Training

/// Writes what a run learned from as the words that the driver of `cluster/check-bits` reads, and reads
/// what that driver has translated.
///
///     bits run RUN STEPS [TEXT] > WORDS     settings, every shard's token ids, the lines of TEXT
///     bits text RUN < IDS                   translations as text, a line each
@main struct Bits {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch (arguments.first, arguments.count) {
        case ("run", 3...4):
            guard let steps = Int(arguments[2]) else { return usage() }
            try run(arguments[1], steps: steps, text: arguments.count == 4 ? arguments[3] : nil)
        case ("text", 2): try text(arguments[1])
        default: usage()
        }
    }

    private static func usage() {
        FileHandle.standardError.write(Data("bits run RUN STEPS [TEXT] | text RUN\n".utf8))
        exit(64)
    }

    private static func run(_ folder: String, steps: Int, text: String?) throws {
        let prepared = try PreparedRun(
            SavedSettings(of: folder).configuration, goingOnIn: RunPaths(folder))
        var words = Words()
        words.add(prepared.model.architecture)
        words.add(choice: prepared.model.precision)
        words.add(prepared.configuration.optimizer.arithmetic)
        words.add(steps)
        for step in 1...steps {
            let batch = prepared.schedule.batch(step: step)
            words.add(batch.labels)
            words.add(batch.shards.count)
            for shard in batch.shards { words.add(ModelInput(shard)) }
        }
        let lines = try text.map {
            try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n").map(String.init)
        }
        words.add((lines ?? []).count)
        for line in lines ?? [] { words.add(try prepared.tokenizer.encode(line) + [Tokenizer.end]) }
        FileHandle.standardOutput.write(words.data)
    }

    private static func text(_ folder: String) throws {
        let model = try TrainedModel(folder)
        let data = FileHandle.standardInput.readDataToEndOfFile()
        let ids = data.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
        var next = 0
        while next < ids.count {
            let end = next + 1 + Int(ids[next])
            print(try model.tokenizer.decode(Array(ids[next + 1..<end])))
            next = end
        }
    }
}

/// What goes to the driver: 32-bit little-endian words.
private struct Words {
    private var content: [Int32] = []

    var data: Data { content.withUnsafeBytes { Data($0) } }

    mutating func add(_ count: Int) { content.append(Int32(count)) }
    mutating func add(_ value: Bool) { add(value ? 1 : 0) }
    mutating func add(_ value: Float) { content.append(Int32(bitPattern: value.bitPattern)) }
    mutating func add(_ value: Double) { add(value.bitPattern) }

    mutating func add(_ value: UInt64) {
        content.append(Int32(truncatingIfNeeded: value))
        content.append(Int32(truncatingIfNeeded: value >> 32))
    }

    mutating func add(_ ids: some Collection<Int32>) {
        add(ids.count)
        content += ids
    }

    mutating func add(_ sequences: Sequences) {
        add(sequences.count)
        for sequence in 0..<sequences.count {
            add(sequences.ids[sequences.offsets[sequence]..<sequences.offsets[sequence + 1]])
        }
    }

    mutating func add(_ input: ModelInput) {
        add(input.source)
        add(input.decoder)
        add(input.labels)
    }

    mutating func add<Choice: CaseIterable & Equatable>(choice: Choice)
    where Choice.AllCases == [Choice] {
        add(Choice.allCases.firstIndex(of: choice)!)
    }

    mutating func add(_ shape: Architecture) {
        add(choice: shape.kind)
        add(choice: shape.norm)
        add(choice: shape.normalisation)
        add(shape.residual)
        add(choice: shape.activation)
        add(choice: shape.positionEncoding)
        add(choice: shape.tying)
        add(shape.sharesQueryKey)
        for size in [
            shape.dModel, shape.encoderLayers, shape.decoderLayers, shape.dFF, shape.heads,
            shape.vocabulary, shape.positions,
        ] { add(size) }
        add(shape.dropout)
        add(shape.attentionDropout)
    }

    mutating func add(_ arithmetic: StepArithmetic) {
        add(arithmetic.seed)
        switch arithmetic.initialisation {
        case .xavier:
            add(false)
            add(Float(0))
        case .normal(let deviation):
            add(true)
            add(deviation)
        }
        add(arithmetic.labelSmoothing)
        add(arithmetic.clipNorm)
        add(arithmetic.adam.beta1)
        add(arithmetic.adam.beta2)
        add(arithmetic.adam.epsilon)
        add(arithmetic.adam.weightDecay)
        add(arithmetic.schedule.peak)
        add(arithmetic.schedule.warmup)
    }
}
