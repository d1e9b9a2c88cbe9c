import Foundation
import Kernels
import Model
import Resources
import Synchronization
import Text
import Threads

/// The reason that a line has no translation.
package enum UnfitLine: Error, Equatable, Sendable {
    case tooLong(tokens: Int, positions: Int)
    case unreadable(TextError)
}

/// One of a line's translations.
package struct Translation: Hashable, Sendable {
    /// The sentence, detokenised.
    package var text: String
    /// log P over the length penalty, in nats: what translations of a line are ordered by.
    package var score: Double
    /// log P in nats, end mark included.
    package var logProbability: Double
    /// Tokens that log P is of, the end mark counted; 0 of an empty one that nothing was asked for.
    package var tokens: Int

    /// What stands for a line that has no words, or that cannot be translated.
    package static let none = Translation(text: "", score: 0, logProbability: 0, tokens: 0)

    /// log P in nats a token; 0 where there is none.
    package var logProbabilityOfToken: Double {
        tokens == 0 ? 0 : logProbability / Double(tokens)
    }
}

/// Translates lines with a trained model on several threads.
///
/// A line's translation depends on the line and the model alone: not on its company, the group or the
/// threads.
package final class Translator: Sendable {
    /// Most lines of a group, which one thread translates: the longest go first, so the last steps of a group are few.
    private static let largestGroup = 512

    private let model: TrainedModel
    private let choices: SearchChoices
    private let decoding: Decoding
    private let pool: LanePool

    /// Starts the threads. `beam` is the number of beginnings kept; 1 is greedy.
    ///
    /// - Throws: `ResourceError` where the system refuses one of the threads.
    package convenience init(
        _ model: TrainedModel, beam: Int, threads: Int
    ) throws(ResourceError) {
        try self.init(model, SearchChoices(width: beam), threads: threads)
    }

    /// The same with other choices of the search, and with the decoder's matrices as whole numbers where
    /// there is a `quantisation`.
    package init(
        _ model: TrainedModel, _ choices: SearchChoices, threads: Int,
        quantisation: Quantisation? = nil
    ) throws(ResourceError) {
        self.model = model
        self.choices = choices
        decoding = Decoding(
            model.transformer,
            prepared: DecoderWeights(
                model.transformer, parameters: model.parameters, quantisation: quantisation))
        pool = try LanePool(lanes: threads)
    }

    deinit { pool.stop() }

    /// A translation for each line; a line without words gives an empty one.
    package func translate(_ lines: [String]) -> [Result<String, UnfitLine>] {
        translations(lines).map { $0.map { $0[0].text } }
    }

    /// The best translations of each line, best first: as many as the choices want where so many are
    /// found. A line without words gives one that is empty.
    package func translations(_ lines: [String]) -> [Result<[Translation], UnfitLine>] {
        let share = (lines.count + pool.count - 1) / pool.count
        let group = min(max(share, 1), Self.largestGroup)
        let groups = stride(from: 0, to: lines.count, by: group).map {
            Array(lines[$0..<min($0 + group, lines.count)])
        }
        return pool.map(groups.count) { [self] in translate(together: groups[$0]) }.flatMap { $0 }
    }

    private func translate(together lines: [String]) -> [Result<[Translation], UnfitLine>] {
        let sources = lines.map { line in
            Result { () throws(UnfitLine) in try source(line) }
        }
        let found = decoding.search(
            sources.compactMap { try? $0.get() }, parameters: model.parameters, choices)
        var next = found.makeIterator()
        return sources.map { source in
            source.flatMap { _ in
                Result { () throws(UnfitLine) in try translations(next.next() ?? []) }
            }
        }
    }

    private func translations(_ outputs: [SearchOutput]) throws(UnfitLine) -> [Translation] {
        guard !outputs.isEmpty else { return [.none] }
        var translations: [Translation] = []
        for output in outputs {
            translations.append(
                Translation(
                    text: try text(output.words), score: output.score,
                    logProbability: output.logProbability, tokens: output.words.count + 1))
        }
        return translations
    }

    private func source(_ line: String) throws(UnfitLine) -> [Int32] {
        let words: [Int32]
        do {
            words = try model.tokenizer.encode(line)
        } catch {
            throw .unreadable(error)
        }
        guard words.count < model.positions else {
            throw .tooLong(tokens: words.count + 1, positions: model.positions)
        }
        return words + [Tokenizer.end]
    }

    private func text(_ words: [Int32]) throws(UnfitLine) -> String {
        do {
            return try model.tokenizer.decode(words)
        } catch {
            throw .unreadable(error)
        }
    }
}

extension LanePool {
    /// `body` of every index, each on whichever lane is free.
    package func map<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (_ index: Int) -> Value
    ) -> [Value] {
        if count == 0 { return [] }
        let work = SharedWork<Value>(count)
        runAndWait { _ in
            while let index = work.take() { work.finish(index, body(index)) }
        }
        return work.results
    }
}

/// Indices that lanes take and the values they put in their places.
private final class SharedWork<Value: Sendable>: Sendable {
    private let count: Int
    private let next = Atomic(0)
    private let values: Mutex<[Value?]>

    init(_ count: Int) {
        self.count = count
        values = Mutex([Value?](repeating: nil, count: count))
    }

    func take() -> Int? {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < count ? index : nil
    }

    func finish(_ index: Int, _ value: Value) { values.withLock { $0[index] = value } }

    var results: [Value] { values.withLock { $0.compactMap { $0 } } }
}
