/// A fixed part of a batch: its samples are always computed together, by whoever has the shard.
package struct Shard: Sendable, Hashable {
    /// The index of each sample in the corpus.
    package let samples: [Int]
    /// The ids of each sample's source; empty for windows of a text.
    package let sources: [[Int32]]
    /// The ids of each sample's target: words only, as in `Sample.target`.
    package let targets: [[Int32]]

    /// Makes a shard of its parts, which must have one element for each sample.
    package init(samples: [Int], sources: [[Int32]], targets: [[Int32]]) {
        precondition(
            samples.count == sources.count && samples.count == targets.count,
            "\(samples.count) samples, \(sources.count) sources, \(targets.count) targets")
        self.samples = samples
        self.sources = sources
        self.targets = targets
    }

    init(_ indices: [Int], of corpus: [Sample]) {
        samples = indices
        sources = indices.map { corpus[$0].source }
        targets = indices.map { corpus[$0].target }
    }

    /// The number of words and end marks; of windows of a text the number of their tokens.
    package var labels: Int {
        zip(sources, targets).reduce(0) { $0 + Sample.labels(source: $1.0, target: $1.1) }
    }
    /// The number of source tokens and labels.
    package var tokens: Int { sources.reduce(labels) { $0 + $1.count } }
}

/// The form that travels: the number of samples, then for each its index, the lengths of source and
/// target, and their ids.
extension Shard {
    /// The shard as numbers: 1 + 3 · samples, and all ids.
    package var flattened: [Int32] {
        var numbers: [Int32] = []
        numbers.reserveCapacity(1 + 3 * samples.count + tokens)
        numbers.append(Int32(samples.count))
        for index in samples.indices {
            numbers.append(Int32(samples[index]))
            numbers.append(Int32(sources[index].count))
            numbers.append(Int32(targets[index].count))
            numbers.append(contentsOf: sources[index])
            numbers.append(contentsOf: targets[index])
        }
        return numbers
    }

    /// Reads what a peer sent; nothing is allocated that the numbers at hand do not fill.
    ///
    /// Throws: `malformedShard` for counts below zero or beyond the end, negative ids, and numbers left
    /// over. Ids above the vocabulary, and sources that are or are not there, are the model's to refuse.
    package init(flattened numbers: [Int32]) throws(TextError) {
        var reader = ShardReader(numbers: numbers)
        // Every sample takes three numbers at least.
        let count = try reader.count(costing: 3)
        var samples: [Int] = []
        var sources: [[Int32]] = []
        var targets: [[Int32]] = []
        for _ in 0..<count {
            samples.append(Int(try reader.next()))
            let sourceCount = try reader.count(besides: 1)
            let targetCount = try reader.count(besides: sourceCount)
            sources.append(try reader.take(sourceCount))
            targets.append(try reader.take(targetCount))
        }
        if reader.remaining > 0 {
            throw .malformedShard(at: reader.position, .trailing(reader.remaining))
        }
        self.init(samples: samples, sources: sources, targets: targets)
    }
}

/// Reads numbers that must not be negative, never past the end.
private struct ShardReader {
    let numbers: [Int32]
    private(set) var position = 0

    init(numbers: [Int32]) { self.numbers = numbers }

    var remaining: Int { numbers.count - position }

    mutating func next() throws(TextError) -> Int32 {
        guard position < numbers.count else { throw .malformedShard(at: position, .truncated) }
        let number = numbers[position]
        if number < 0 { throw .malformedShard(at: position, .negative(number)) }
        position += 1
        return number
    }

    /// A number of things for which what follows has room, after `reserved` numbers.
    mutating func count(costing cost: Int = 1, besides reserved: Int = 0) throws(TextError) -> Int {
        let number = try next()
        let limit = max(0, remaining - reserved) / cost
        if Int(number) > limit {
            throw .malformedShard(at: position - 1, .tooMany(number, atMost: limit))
        }
        return Int(number)
    }

    mutating func take(_ count: Int) throws(TextError) -> [Int32] {
        let taken = numbers[position..<position + count]
        if let negative = taken.firstIndex(where: { $0 < 0 }) {
            throw .malformedShard(at: negative, .negative(numbers[negative]))
        }
        position += count
        return Array(taken)
    }
}
