import Kernels
import Model
import Testing

/// Sources of many lengths, each with its end mark.
private let sources: [[Int32]] = [
    [3, 4, 5, 2], [12, 2], [], [7, 7, 7, 8, 9, 10, 11, 3, 2], [2], [5, 12, 6, 2],
    [Int32](3...12) + [Int32](3...12) + [2], [9, 2],
]

@Suite struct GreedyDecodingTests {
    @Test(arguments: Architecture.Norm.allCases, [1, 2, 3] as [UInt64])
    func `with the cache it says what computing everything anew says`(
        norm: Architecture.Norm, seed: UInt64
    ) throws {
        let sample = try DecodingSample(.encoderDecoder, norm, seed: seed)
        let results = Decoding(sample.model).translate(sources, parameters: sample.parameters)
        #expect(results.count == sources.count)
        for (source, words) in zip(sources, results) {
            let expected =
                source.count < 2 ? [] : sample.greedy(source, limit: 2 * source.count + 10)
            #expect(words == expected)
        }
    }

    @Test(arguments: Architecture.Norm.allCases)
    func `a language model goes on with a prompt`(norm: Architecture.Norm) throws {
        let sample = try DecodingSample(.languageModel, norm)
        let prompts: [[Int32]] = [[], [5], [3, 4, 5, 6, 7, 8, 9], [12, 12]]
        let results = Decoding(sample.model)
            .proceed(prompts, parameters: sample.parameters, lengthLimit: { _ in 20 })
        for (prompt, words) in zip(prompts, results) {
            #expect(words == sample.greedy([], from: prompt, limit: 20))
        }
    }

    @Test(arguments: Choice.single)
    func `the cache knows every choice of the architecture`(choice: Choice) throws {
        var architecture = choice.architecture
        (architecture.dModel, architecture.vocabulary, architecture.positions) = (20, 13, 64)
        let sample = try DecodingSample(architecture)
        let decoding = Decoding(sample.model)
        if architecture.kind == .languageModel {
            let words = decoding.proceed(
                [[3, 4, 5]], parameters: sample.parameters, lengthLimit: { _ in 20 })
            #expect(words == [sample.greedy([], from: [3, 4, 5], limit: 20)])
        } else {
            let results = decoding.translate(sources, parameters: sample.parameters)
            for (source, words) in zip(sources, results) where source.count > 1 {
                #expect(words == sample.greedy(source, limit: 2 * source.count + 10))
            }
        }
    }

    @Test func `an output never outgrows its limit or the model's positions`() throws {
        let sample = try DecodingSample(.encoderDecoder, .pre, positions: 21)
        let decoding = Decoding(sample.model)
        for (limit, most) in [(0, 0), (1, 1), (5, 5), (1000, 20)] {
            for beam in [1, 3] {
                let results = decoding.translate(
                    sources, parameters: sample.parameters, beam: beam,
                    lengthLimit: { _ in limit })
                #expect(results.allSatisfy { $0.count <= most })
                if beam == 1 {
                    #expect(results[0] == sample.greedy(sources[0], limit: most))
                }
            }
        }
    }

    @Test func `weights that are not numbers end the output`() throws {
        let sample = try DecodingSample(.encoderDecoder, .pre)
        sample.parameters.fill(.nan)
        for beam in [1, 4] {
            let results = Decoding(sample.model)
                .translate(sources, parameters: sample.parameters, beam: beam)
            #expect(results.allSatisfy { $0.isEmpty })
        }
    }

    @Test func `many sources at once are all translated, each in its place`() throws {
        let sample = try DecodingSample(.encoderDecoder, .post)
        let many = (0..<300).map { sources[$0 % sources.count] }
        let decoding = Decoding(sample.model)
        let few = decoding.translate(sources, parameters: sample.parameters)
        let results = decoding.translate(many, parameters: sample.parameters)
        for index in many.indices { #expect(results[index] == few[index % sources.count]) }
    }
}

@Suite struct CompanyTests {
    /// Whether the bits of a translation are the same alone, among others, and in any order.
    @Test(arguments: Precision.allCases, [1, 4])
    func `a translation's bits depend on its sentence alone`(
        precision: Precision, width: Int
    ) throws {
        let sample = try DecodingSample(.encoderDecoder, .pre, vocabulary: 60)
        let model = try Transformer(sample.model.architecture, precision: precision)
        let decoding = Decoding(
            model, prepared: DecoderWeights(model, parameters: sample.parameters))
        var choices = SearchChoices(width: width)
        choices.outputs = width
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...9999, using: &random)
        var state = seed
        func draw(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        let all: [[Int32]] = (0..<300).map { _ in
            (0..<1 + draw(40)).map { _ in Int32(3 + draw(57)) } + [2]
        }
        let together = decoding.search(all, parameters: sample.parameters, choices)
        for index in 0..<20 {
            let alone = decoding.search([all[index]], parameters: sample.parameters, choices)
            #expect(alone[0] == together[index], "seed \(seed)")
        }
        var rest = Array(all.indices)
        while !rest.isEmpty {
            let company = (0..<min(1 + draw(150), rest.count)).map { _ in
                rest.remove(at: draw(rest.count))
            }
            let some = decoding.search(
                company.map { all[$0] }, parameters: sample.parameters, choices)
            for (place, index) in company.enumerated() {
                #expect(some[place] == together[index], "seed \(seed)")
            }
        }
    }
}

@Suite struct BeamDecodingTests {
    @Test(arguments: Architecture.Norm.allCases, [1, 2, 3, 4] as [UInt64])
    func `a beam as wide as the tree finds the best of all outputs`(
        norm: Architecture.Norm, seed: UInt64
    ) throws {
        let sample = try DecodingSample(.encoderDecoder, norm, vocabulary: 6, seed: seed)
        let source: [Int32] = [3, 5, 4, 4, 2]
        var all: [[Int32]] = [[]]
        for length in 1...4 {
            all += all.filter { $0.count == length - 1 }.flatMap { words in
                (3..<6).map { words + [$0] }
            }
        }
        #expect(all.count == 121)
        let best = all.map { sample.score(source, $0) }.max() ?? 0
        let result = Decoding(sample.model).translate(
            [source], parameters: sample.parameters, beam: 128, lengthLimit: { _ in 4 })[0]
        #expect(abs(sample.score(source, result) - best) < 1e-5)
    }

    @Test func `the best outputs are those of all possible ones, in order`() throws {
        let sample = try DecodingSample(.encoderDecoder, .pre, vocabulary: 6)
        let source: [Int32] = [3, 5, 4, 4, 2]
        var all: [[Int32]] = [[]]
        for _ in 1...4 {
            all += all.flatMap { words in (3..<6).map { words + [$0] } }
            all = Array(Set(all))
        }
        let best = all.map { sample.score(source, $0) }.sorted(by: >)
        var choices = SearchChoices(width: 128)
        choices.outputs = 5
        choices.longest = 4
        let outputs = Decoding(sample.model)
            .search([source], parameters: sample.parameters, choices)[0]
        #expect(outputs.count == 5)
        for (output, score) in zip(outputs, best) {
            #expect(abs(output.score - score) < 1e-5)
            #expect(abs(sample.score(source, output.words) - score) < 1e-5)
        }
    }

    @Test(arguments: [1, 3])
    func `an output is as long as asked for, however short its source`(width: Int) throws {
        let sample = try DecodingSample(.encoderDecoder, .pre)
        var choices = SearchChoices(width: width)
        choices.shortest = 30
        let results = Decoding(sample.model)
            .search(sources, parameters: sample.parameters, choices)
        for (source, outputs) in zip(sources, results) where source.count > 1 {
            #expect(outputs.allSatisfy { $0.words.count >= 30 } && !outputs.isEmpty)
        }
    }

    @Test(arguments: Architecture.Norm.allCases, [2, 3, 4, 7])
    func `with the cache it says what computing everything anew says`(
        norm: Architecture.Norm, width: Int
    ) throws {
        let sample = try DecodingSample(.encoderDecoder, norm, seed: UInt64(width))
        let results = Decoding(sample.model)
            .translate(sources, parameters: sample.parameters, beam: width)
        for (source, words) in zip(sources, results) {
            let limit = 2 * source.count + 10
            let expected =
                source.count < 2 ? [] : sample.beam(source, width: width, limit: limit)
            #expect(words == expected)
        }
    }
}

@Suite struct TrainedDecodingTests {
    @Test func `a model trained to say words backwards says unseen ones backwards`() throws {
        let sample = try DecodingSample(trained: 500, .pre)
        let unseen = DecodingSample.pairs(100, seed: 1_000_000)
        for beam in [1, 4] {
            let results = Decoding(sample.model).translate(
                unseen.map(\.source), parameters: sample.parameters, beam: beam)
            let right = zip(results, unseen).count { $0 == $1.target }
            #expect(right >= 90, "\(right) of 100 with a beam of \(beam)")
        }
    }

    @Test(arguments: Architecture.Norm.allCases)
    func `a half-trained model says what computing everything anew says`(
        norm: Architecture.Norm
    ) throws {
        let sample = try DecodingSample(trained: 80, norm)
        let sources = DecodingSample.pairs(20, seed: 7).map(\.source)
        for beam in [1, 2, 4] {
            let results = Decoding(sample.model)
                .translate(sources, parameters: sample.parameters, beam: beam)
            for (source, words) in zip(sources, results) {
                #expect(words == sample.beam(source, width: beam, limit: 2 * source.count + 10))
            }
            #expect(Set(results.map(\.count)).count > 3)
        }
    }
}
