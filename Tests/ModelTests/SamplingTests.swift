import Model
import Testing

@Suite("Drawing words")
struct SamplingTests {
    private let logits: [Float] = [9, 9, 1, 3, 2, 3, -.infinity, .nan]

    @Test func `temperature 0 takes the likeliest, the lower of equal ones`() {
        let sampling = Sampling(temperature: 0)
        #expect(sampling.draw(logits, from: 2, uniform: 0.99) == 3)
        #expect(sampling.draw(logits, from: 8, uniform: 0.5) == nil)
    }

    @Test func `words come as often as their probability, what is no number never`() {
        let draws = (0..<1000).compactMap {
            Sampling().draw(logits, from: 2, uniform: (Double($0) + 0.5) / 1000)
        }
        func share(_ word: Int32) -> Double { Double(draws.count { $0 == word }) / 1000 }
        // e^1, e^3, e^2, e^3 over their sum.
        for (word, expected) in [(2, 0.0541), (3, 0.3995), (4, 0.1470), (5, 0.3995)] {
            #expect(abs(share(Int32(word)) - expected) < 2e-3)
        }
        #expect(share(6) == 0 && share(7) == 0)
    }

    @Test func `top-k and top-p keep the likeliest alone`() {
        func words(_ sampling: Sampling) -> Set<Int32> {
            Set(
                (0..<200).compactMap {
                    sampling.draw(logits, from: 2, uniform: Double($0) / 200)
                })
        }
        #expect(words(Sampling(topK: 1)) == [3])
        #expect(words(Sampling(topK: 3)) == [3, 4, 5])
        #expect(words(Sampling(topP: 0.3)) == [3])
        #expect(words(Sampling(topP: 0.7)) == [3, 5])
        #expect(words(Sampling(topP: 0.9)) == [3, 4, 5])
        #expect(words(Sampling()) == [2, 3, 4, 5])
        // Hot enough, all are about as likely.
        let hot = (0..<400).compactMap {
            Sampling(temperature: 100).draw(logits, from: 2, uniform: Double($0) / 400)
        }
        #expect(abs(hot.count { $0 == 2 } - 100) < 5)
    }

    @Test func `at temperature 0 it is greedy search, else a function of seed and stream`() throws {
        let sample = try DecodingSample(.languageModel, .pre)
        let decoding = Decoding(sample.model)
        func words(_ sampling: Sampling, stream: Int = 0, from prompt: [Int32] = [3, 4, 5])
            -> [Int32]
        {
            decoding.sample(
                prompt, parameters: sample.parameters, sampling, stream: stream, limit: 20)
        }
        for prompt in [[], [5], [3, 4, 5]] as [[Int32]] {
            #expect(
                words(Sampling(temperature: 0), from: prompt)
                    == sample.greedy([], from: prompt, limit: 20))
        }
        let warm = Sampling(temperature: 2, seed: 5)
        let streams = (0..<6).map { words(warm, stream: $0) }
        #expect(streams == (0..<6).map { words(warm, stream: $0) })
        #expect(Set(streams).count > 3)
        #expect(streams != (0..<6).map { words(Sampling(temperature: 2, seed: 6), stream: $0) })
        #expect(streams.joined().allSatisfy { $0 > 2 && $0 < 13 })
        let long = decoding.sample(
            [3, 4], parameters: sample.parameters, warm, stream: 1, limit: 1000)
        #expect(long.count <= 62)
    }
}

@Suite("Attention that is looked at")
struct AttentionMapTests {
    @Test(arguments: [Choice(), Choice(.languageModel, positions: .relative)])
    func `every row sums to one, and no word of a decoder looks ahead`(choice: Choice) throws {
        let sample = try Sample(choice)
        let input = sample.input([6])
        let maps = Lane(sample.model).attention(of: input, parameters: sample.parameters)
        let isTranslator = choice.architecture.kind == .encoderDecoder
        #expect(maps.count == (isTranslator ? 3 : 1))
        for map in maps {
            #expect(map.heads.count == 2)
            for row in map.heads.joined() { #expect(abs(row.reduce(0, +) - 1) < 1e-5) }
        }
        let own = isTranslator ? maps[1] : maps[0]
        for head in own.heads {
            for (index, row) in head.enumerated() {
                #expect(row[(index + 1)...].allSatisfy { $0 == 0 })
            }
        }
        if isTranslator {
            #expect(maps[2].heads[0].count == 7)
            #expect(maps[2].heads[0][0].count == input.source.ids.count)
        }
    }
}
