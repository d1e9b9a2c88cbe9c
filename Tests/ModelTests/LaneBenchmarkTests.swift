import Model
import Testing

@Suite("A lane's benchmark")
struct LaneBenchmarkTests {
    private func architecture(_ kind: Architecture.Kind) -> Architecture {
        Architecture(
            kind: kind, norm: .pre, activation: .relu, dModel: 16, encoderLayers: 1,
            decoderLayers: 1, dFF: 24, heads: 2, vocabulary: 30, positions: 8, dropout: 0.1)
    }

    @Test("It runs for both kinds of model", arguments: Architecture.Kind.allCases)
    func runs(kind: Architecture.Kind) throws {
        let benchmark = LaneBenchmark(
            architecture: architecture(kind), sequences: 3, length: 7, warmUp: 1, repetitions: 2)
        let result = try benchmark.run()
        #expect(result.tokensPerSecond > 0 && result.loss.isFinite && result.memory > 0)
        #expect(benchmark.input(seed: 1).labels.count == 21)
    }

    @Test("A profile counts every product and changes no bit")
    func profile() throws {
        let benchmark = LaneBenchmark(
            architecture: architecture(.encoderDecoder), sequences: 3, length: 7, warmUp: 1,
            repetitions: 2)
        let profile = Profile()
        let loss = try benchmark.run(profile: profile).loss
        #expect(try benchmark.run().loss == loss)
        // 21 tokens on both sides; an encoder and a decoder layer, 16 wide, 24 inside.
        let matrices = (4 * 16 + 2 * 24) * 16 + (8 * 16 + 2 * 24) * 16
        #expect(profile[.productForward].operations == 2 * 2 * 21 * matrices)
        #expect(profile[.productWeight].operations == profile[.productForward].operations)
        #expect(profile[.logitsForward].operations == 2 * 2 * 21 * 16 * 30)
        #expect(Profile.Kind.allCases.allSatisfy { profile[$0].calls > 0 })
        let both = Profile()
        both.add(profile)
        both.add(profile)
        #expect(both[.attentionForward].calls == 2 * profile[.attentionForward].calls)
    }
}
