import Foundation
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

/// Translates lines with a trained model on several threads.
///
/// Lines are decoded in groups that depend on the lines alone, so no number depends on the threads.
package final class Translator: Sendable {
    /// Lines of a group when many come together.
    package static let usualGroup = 32

    private let model: TrainedModel
    private let beam: Int
    private let pool: LanePool

    /// Starts the threads. `beam` is the number of hypotheses kept; 1 is greedy.
    ///
    /// - Throws: `ResourceError` where the system refuses one of the threads.
    package init(_ model: TrainedModel, beam: Int, threads: Int) throws(ResourceError) {
        precondition(beam >= 1, "beam \(beam)")
        self.model = model
        self.beam = beam
        pool = try LanePool(lanes: threads)
    }

    deinit { pool.stop() }

    /// A translation for each line; a line without words gives an empty one.
    package func translate(
        _ lines: [String], group: Int = usualGroup
    ) -> [Result<String, UnfitLine>] {
        let groups = stride(from: 0, to: lines.count, by: group).map {
            Array(lines[$0..<min($0 + group, lines.count)])
        }
        return pool.map(groups.count) { [self] in translate(together: groups[$0]) }.flatMap { $0 }
    }

    private func translate(together lines: [String]) -> [Result<String, UnfitLine>] {
        let sources = lines.map { line in
            Result { () throws(UnfitLine) in try source(line) }
        }
        let outputs = Decoding(model.transformer).translate(
            sources.compactMap { try? $0.get() }, parameters: model.parameters, beam: beam)
        var next = outputs.makeIterator()
        return sources.map { source in
            source.flatMap { _ in
                Result { () throws(UnfitLine) in try text(next.next() ?? []) }
            }
        }
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
