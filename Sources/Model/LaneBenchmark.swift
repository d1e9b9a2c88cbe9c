import Kernels
import Parameters

/// How fast one lane computes gradients of random sequences.
package struct LaneBenchmark: Sendable {
    package var architecture: Architecture
    /// Sequences a shard, each of `length` source tokens and as many labels.
    package var sequences: Int
    package var length: Int
    package var warmUp: Int
    package var repetitions: Int

    package init(
        architecture: Architecture, sequences: Int, length: Int, warmUp: Int = 3, repetitions: Int
    ) {
        self.architecture = architecture
        self.sequences = sequences
        self.length = length
        self.warmUp = warmUp
        self.repetitions = repetitions
    }

    package struct Result: Sendable {
        package let tokensPerSecond: Double
        /// Of the fastest repetition.
        package let bestMilliseconds: Double
        package let loss: Double
        /// Bytes of activations and their gradients.
        package let memory: Int
    }

    /// Random words; both sides of every pair have `length` tokens.
    package func input(seed: UInt64) -> ModelInput {
        let random = Philox(seed: seed, 1, 1, 1)
        func words(_ count: Int, _ place: Int) -> [Int32] {
            (0..<count).map {
                let word = random.words(UInt32(place * length + $0)).x
                return 4 + Int32(word % UInt32(max(1, architecture.vocabulary - 4)))
            }
        }
        let targets = (0..<sequences).map { words(length - 1, $0) }
        let isTranslator = architecture.kind == .encoderDecoder
        let sources = isTranslator ? (0..<sequences).map { words(length, sequences + $0) } : []
        return ModelInput(
            source: Sequences(sources), decoder: Sequences(targets.map { [1] + $0 }),
            labels: targets.flatMap { $0 + [2] })
    }

    package func run(profile: Profile? = nil) throws(ModelError) -> Result {
        let model = try Transformer(architecture)
        let parameters = ParameterVector(count: model.layout.count)
        let gradient = ParameterVector(count: model.layout.count)
        model.initialise(parameters, seed: 1)
        let lane = Lane(model, profile: profile)
        let input = input(seed: 2)
        try input.validate(for: architecture)
        var best = UInt64.max
        var sum: UInt64 = 0
        var loss = 0.0
        for repetition in 0..<warmUp + repetitions {
            if repetition == warmUp { profile?.reset() }
            let start = Profile.now()
            let key = DropoutKey(seed: 1, step: repetition, shard: 0)
            let result = lane.gradient(
                of: input, parameters: parameters, into: gradient,
                labelCount: input.labels.count, smoothing: 0.1, key: key, finished: { _ in })
            let time = Profile.now() - start
            loss = result.smoothed / Double(result.labels)
            if repetition >= warmUp {
                best = min(best, time)
                sum += time
            }
        }
        let tokens = repetitions * (input.source.ids.count + input.labels.count)
        return Result(
            tokensPerSecond: Double(tokens) / (Double(sum) / 1e9),
            bestMilliseconds: Double(best) / 1e6, loss: loss, memory: lane.memory)
    }
}
