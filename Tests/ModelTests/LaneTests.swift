import Model
import Parameters
import Synchronization
import Testing

/// Small models and shards made from a seed.
struct Sample {
    let model: Transformer
    let parameters: ParameterVector

    init(
        _ kind: Architecture.Kind = .encoderDecoder, _ norm: Architecture.Norm = .pre,
        _ activation: Architecture.Activation = .gelu, dropout: Float = 0.2
    ) throws {
        model = try Transformer(
            Architecture(
                kind: kind, norm: norm, activation: activation, dModel: 20, encoderLayers: 2,
                decoderLayers: 2, dFF: 28, heads: 2, vocabulary: 31, positions: 16,
                dropout: dropout))
        parameters = ParameterVector(count: model.layout.count)
        model.initialise(parameters, seed: 7)
    }

    /// Of these choices, in this sample's sizes.
    init(_ choice: Choice) throws {
        var architecture = choice.architecture
        (architecture.dModel, architecture.dFF) = (20, 28)
        (architecture.vocabulary, architecture.positions) = (31, 16)
        model = try Transformer(architecture)
        parameters = ParameterVector(count: model.layout.count)
        model.initialise(parameters, seed: 7)
    }

    /// Sequences of `lengths` words whose ids follow from `salt`.
    func input(_ lengths: [Int], salt: Int = 0) -> ModelInput {
        func words(_ count: Int, _ place: Int) -> [Int32] {
            (0..<count).map { Int32(4 + (7 * $0 + 13 * place + 5 * salt + $0 * $0) % 27) }
        }
        let targets = lengths.enumerated().map { words($1, $0) }
        let hasSource = model.architecture.kind == .encoderDecoder
        let sources = lengths.enumerated().map { words($1 % 5 + 1, $0 + 50) + [2] }
        return ModelInput(
            source: Sequences(hasSource ? sources : []),
            decoder: Sequences(targets.map { [1] + $0 }),
            labels: targets.flatMap { $0 + [2] })
    }

    @discardableResult
    func gradient(
        _ lane: Lane, _ input: ModelInput, into gradient: ParameterVector, shard: Int = 0,
        finished: (Int) -> Void = { _ in }
    ) -> ShardLoss {
        lane.gradient(
            of: input, parameters: parameters, into: gradient, labelCount: 10, smoothing: 0.1,
            key: DropoutKey(seed: 3, step: 5, shard: shard), finished: finished)
    }
}

@Suite("A lane computes gradients")
struct LaneTests {
    @Test(
        "The gradient of the whole model, dropout included, is the slope of its loss",
        arguments: Choice.single)
    func slope(choice: Choice) throws {
        let sample = try Sample(choice)
        let trainable = sample.model.layout.trainable
        let lane = Lane(sample.model)
        let input = sample.input([4, 1, 7])
        let gradient = ParameterVector(count: sample.model.layout.count)
        let spare = ParameterVector(count: sample.model.layout.count)
        sample.gradient(lane, input, into: gradient)
        let original = sample.parameters.floats()
        for slot in sample.model.layout.slots where slot.offset < trainable {
            let direction = slot.range.map { Float(($0 * 7919) % 101) / 50 - 1 }
            func loss(_ step: Float) -> Double {
                let moved = zip(original[slot.range], direction).map { $0 + step * $1 }
                sample.parameters.store(moved, at: slot.offset)
                defer { sample.parameters.store(original, at: 0) }
                return sample.gradient(lane, input, into: spare).smoothed / 10
            }
            let step: Float = 2e-3
            let slope =
                (8 * (loss(step) - loss(-step)) - (loss(2 * step) - loss(-2 * step)))
                / Double(12 * step)
            let part = gradient.floats(slot.range)
            let expected = zip(part, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            let size = part.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() / 2
            // float32 gives a loss of 5 only to 5e-7: 2e-4 of slope.
            let error = abs(slope - expected)
            #expect(
                error <= 4e-3 * max(size, abs(expected), 0.08),
                "\(slot.name): \(slope), \(expected)")
        }
    }

    @Test("Every element is overwritten, whatever the gradient and the lane held before")
    func overwrites() throws {
        let sample = try Sample()
        let count = sample.model.layout.count
        let (first, second) = (ParameterVector(count: count), ParameterVector(count: count))
        let lane = Lane(sample.model)
        first.fill(.nan)
        sample.gradient(lane, sample.input([4, 1, 7]), into: first)
        for lengths in [[15, 15, 15], [1], [3, 8]] {
            sample.gradient(lane, sample.input(lengths, salt: 9), into: second, shard: 4)
        }
        _ = lane.loss(of: sample.input([2, 2]), parameters: sample.parameters, smoothing: 0)
        second.fill(.infinity)
        sample.gradient(lane, sample.input([4, 1, 7]), into: second)
        #expect(FastDigest(first) == FastDigest(second))
        sample.gradient(Lane(sample.model), sample.input([4, 1, 7]), into: second)
        #expect(FastDigest(first) == FastDigest(second))
    }

    @Test("An empty shard gives zeros and says so once")
    func emptyShard() throws {
        let sample = try Sample()
        let gradient = ParameterVector(count: sample.model.layout.count)
        gradient.fill(.nan)
        var offsets: [Int] = []
        let loss = sample.gradient(Lane(sample.model), sample.input([]), into: gradient) {
            offsets.append($0)
        }
        #expect(offsets == [0] && loss.labels == 0 && loss.smoothed == 0)
        #expect(gradient.floats().allSatisfy { $0 == 0 })
    }

    @Test(
        "What is announced as finished does not change any more", arguments: Choice.single)
    func finishedIsFinal(choice: Choice) throws {
        let sample = try Sample(choice)
        let count = sample.model.layout.count
        let gradient = ParameterVector(count: count)
        var seen: [(offset: Int, floats: [Float])] = []
        sample.gradient(Lane(sample.model), sample.input([4, 1, 7]), into: gradient) {
            seen.append(($0, gradient.floats($0..<count)))
        }
        let offsets = seen.map(\.offset)
        #expect(offsets.last == 0 && zip(offsets, offsets.dropFirst()).allSatisfy { $0 > $1 })
        let architecture = sample.model.architecture
        let encoder = architecture.kind == .encoderDecoder ? architecture.encoderLayers : 0
        #expect(offsets.count > encoder + architecture.decoderLayers)
        for (offset, floats) in seen {
            #expect(floats == gradient.floats(offset..<count), "from \(offset)")
        }
    }

    @Test("Several lanes at once compute the same bits as one")
    func lanesAtOnce() async throws {
        let sample = try Sample()
        let model = sample.model
        let parameters = sample.parameters
        func digest(_ shard: Int) -> FastDigest {
            let gradient = ParameterVector(count: model.layout.count)
            _ = Lane(model).gradient(
                of: sample.input([4, 1, shard + 1], salt: shard), parameters: parameters,
                into: gradient, labelCount: 10, smoothing: 0.1,
                key: DropoutKey(seed: 3, step: 5, shard: shard), finished: { _ in })
            return FastDigest(gradient)
        }
        let alone = (0..<8).map(digest)
        #expect(Set(alone).count == 8)
        let together = await withTaskGroup(of: (Int, FastDigest).self) { group in
            for shard in 0..<8 { group.addTask { (shard, digest(shard)) } }
            return await group.reduce(into: [Int: FastDigest]()) { $0[$1.0] = $1.1 }
        }
        #expect((0..<8).allSatisfy { together[$0] == alone[$0] })
    }

    @Test("Loss without dropout agrees with the logits")
    func lossAndLogits() throws {
        let sample = try Sample(.languageModel, .post, .silu)
        let lane = Lane(sample.model)
        let input = sample.input([4, 1, 7])
        let loss = lane.loss(of: input, parameters: sample.parameters, smoothing: 0)
        let logits = lane.logits(of: input, parameters: sample.parameters)
        #expect(logits.count == input.labels.count && loss.labels == logits.count)
        #expect(abs(loss.smoothed - loss.negativeLogLikelihood) < 1e-9)
        var expected = 0.0
        for (row, label) in zip(logits, input.labels) {
            let largest = Double(row.max()!)
            let sum = row.reduce(0) { $0 + exponential(Double($1) - largest) }
            expected += largest + logarithm(sum) - Double(row[Int(label)])
        }
        #expect(abs(expected - loss.negativeLogLikelihood) < 1e-4)
    }
}

@Suite("The arithmetic probe")
struct ArithmeticProbeTests {
    @Test("The probe gives one digest however often and wherever it runs")
    func repeats() async {
        let first = arithmeticProbe()
        async let second = arithmeticProbe()
        async let third = arithmeticProbe()
        #expect(await [second, third] == [first, first])
    }
}
