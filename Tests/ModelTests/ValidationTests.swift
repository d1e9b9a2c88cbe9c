import Model
import Parameters
import Testing

@Suite("Models refuse what they cannot compute")
struct ValidationTests {
    private func architecture(
        _ change: (inout Architecture) -> Void = { _ in }
    ) -> Architecture {
        var result = Architecture(
            kind: .encoderDecoder, norm: .pre, activation: .relu, dModel: 8, encoderLayers: 1,
            decoderLayers: 1, dFF: 8, heads: 2, vocabulary: 10, positions: 4, dropout: 0)
        change(&result)
        return result
    }

    private func refusal(_ change: (inout Architecture) -> Void) -> ModelError? {
        do throws(ModelError) {
            _ = try Transformer(architecture(change))
            return nil
        } catch { return error }
    }

    @Test("Architectures that cannot be built")
    func architectures() {
        #expect(refusal { $0.heads = 3 } == .headsDoNotDivide(heads: 3, dModel: 8))
        #expect(refusal { $0.heads = 0 } == .notPositive(setting: "heads", value: 0))
        #expect(refusal { $0.encoderLayers = 0 } == .notPositive(setting: "layers", value: 0))
        #expect(refusal { $0.vocabulary = -1 } == .notPositive(setting: "vocabulary", value: -1))
        #expect(
            refusal { $0.decoderLayers = 1 << 40 }
                == .tooLarge(setting: "layers", value: 1 << 40, limit: 256))
        #expect(
            refusal { $0.positions = .max }
                == .tooLarge(setting: "positions", value: .max, limit: 65_536))
        #expect(refusal { $0.dropout = 1 } == .dropoutOutOfRange(1))
        #expect(refusal { $0.dropout = .nan } != nil)
        #expect(
            refusal {
                $0.kind = .languageModel
                $0.encoderLayers = 0
            } == nil)
    }

    private func refusal(_ input: ModelInput, _ kind: Architecture.Kind) -> ModelError? {
        do throws(ModelError) {
            try input.validate(for: architecture { $0.kind = kind })
            return nil
        } catch { return error }
    }

    private func refusal(
        source: Sequences = Sequences([[4, 2]]), decoder: Sequences = Sequences([[1, 4]]),
        labels: [Int32] = [4, 2]
    ) -> ModelError? {
        refusal(ModelInput(source: source, decoder: decoder, labels: labels), .encoderDecoder)
    }

    @Test("Input that a lane must never see")
    func inputs() {
        #expect(refusal() == nil)
        #expect(
            refusal(source: Sequences([[4, 10]]))
                == .tokenOutOfRange(id: 10, position: 1, vocabulary: 10))
        #expect(
            refusal(labels: [-1, 2]) == .tokenOutOfRange(id: -1, position: 0, vocabulary: 10))
        #expect(
            refusal(source: Sequences([[4, 4, 4, 4, 2]]))
                == .sequenceTooLong(sequence: 0, length: 5, positions: 4))
        #expect(refusal(labels: [4]) == .labelsDoNotMatch(labels: 1, tokens: 2))
        #expect(refusal(source: Sequences([[4], []])) == .emptySequence(sequence: 1))
        #expect(
            refusal(source: Sequences([[4], [2]])) == .sequencesDoNotMatch(source: 2, decoder: 1))
        #expect(
            refusal(source: Sequences(ids: [4, 2], offsets: [0, 3]))
                == .offsetsDoNotCover(last: 3, tokens: 2))
        #expect(
            refusal(source: Sequences(ids: [4, 2], offsets: [0, 3, 2]))
                == .offsetsOutOfOrder(sequence: 1))
        #expect(
            refusal(source: Sequences(ids: [4, 2], offsets: [Int.min, Int.max]))
                == .offsetsOutOfOrder(sequence: 0))
        #expect(refusal(source: Sequences(ids: [4, 2], offsets: [])) != nil)
        let paired = ModelInput(
            source: Sequences([[4]]), decoder: Sequences([[1]]), labels: [2])
        #expect(refusal(paired, .languageModel) == .unexpectedSource(sequences: 1))
    }

    @Test("First values follow from the seed, with the spread that they should have")
    func initialisation() throws {
        let model = try Transformer(
            architecture {
                $0.vocabulary = 4000
                $0.dModel = 16
            })
        let (first, second) = (
            ParameterVector(count: model.layout.count), ParameterVector(count: model.layout.count)
        )
        model.initialise(first, seed: 1)
        model.initialise(second, seed: 1)
        #expect(FastDigest(first) == FastDigest(second))
        model.initialise(second, seed: 2)
        #expect(FastDigest(first) != FastDigest(second))
        let table = try #require(model.layout["embedding.weight"])
        let square = first.floats(table.range).reduce(0) { $0 + Double($1) * Double($1) }
        #expect(abs((square / Double(table.count)).squareRoot() * 4 - 1) < 0.02)
        let gain = try #require(model.layout["decoder.norm.weight"])
        #expect(first.floats(gain.range).allSatisfy { $0 == 1 })
        let weight = try #require(model.layout["encoder.layers.0.linear1.weight"])
        let bound = (6.0 / Double(8 + 16)).squareRoot()
        let largest = first.floats(weight.range).map { abs(Double($0)) }.max() ?? 0
        #expect(largest <= bound && largest > 0.9 * bound)
    }
}
