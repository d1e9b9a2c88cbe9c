/// How often each n-gram of one length occurs in a line.
struct GramCounts {
    /// Ascending by gram, each gram once.
    private(set) var grams: [(gram: UInt128, count: Int)] = []

    /// Counts the n-grams of a line of symbols, which fit into 128 bits together.
    ///
    /// - Parameter bits: of one symbol.
    init(of symbols: [UInt32], order: Int, bits: Int) {
        precondition(order * bits <= 128, "\(order) symbols of \(bits) bits")
        guard symbols.count >= order else { return }
        var keys: [UInt128] = []
        keys.reserveCapacity(symbols.count - order + 1)
        for start in 0...(symbols.count - order) {
            var key: UInt128 = 0
            for symbol in symbols[start..<start + order] { key = key << bits | UInt128(symbol) }
            keys.append(key)
        }
        keys.sort()
        for key in keys {
            if grams.last?.gram == key {
                grams[grams.count - 1].count += 1
            } else {
                grams.append((key, 1))
            }
        }
    }

    var total: Int { grams.reduce(0) { $0 + $1.count } }

    /// Grams that both have: of each the smaller count, summed.
    func matches(_ other: GramCounts) -> Int {
        var matches = 0
        merge(other) { mine, theirs in matches += min(mine, theirs) }
        return matches
    }

    /// Takes of each gram the larger count.
    mutating func formUnion(_ other: GramCounts) {
        var union: [(gram: UInt128, count: Int)] = []
        var left = grams[...]
        var right = other.grams[...]
        while let mine = left.first, let theirs = right.first {
            if mine.gram <= theirs.gram { left.removeFirst() }
            if theirs.gram <= mine.gram { right.removeFirst() }
            union.append(
                mine.gram == theirs.gram
                    ? (mine.gram, max(mine.count, theirs.count))
                    : mine.gram < theirs.gram ? mine : theirs)
        }
        grams = union + left + right
    }

    private func merge(_ other: GramCounts, onBoth: (Int, Int) -> Void) {
        var left = 0
        var right = 0
        while left < grams.count, right < other.grams.count {
            let mine = grams[left]
            let theirs = other.grams[right]
            if mine.gram == theirs.gram { onBoth(mine.count, theirs.count) }
            if mine.gram <= theirs.gram { left += 1 }
            if theirs.gram <= mine.gram { right += 1 }
        }
    }
}
