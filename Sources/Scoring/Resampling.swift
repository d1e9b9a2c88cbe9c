/// The bootstrap: scores of texts of the same length, whose lines are drawn from the text at hand,
/// each as often as chance has it.
///
/// Source: Koehn, "Statistical significance tests for machine translation evaluation", EMNLP 2004;
/// sacreBLEU 2.6.0, significance.py, whose draws these are, number for number.
package struct Resampling: Sendable, Hashable {
    /// sacreBLEU's.
    package static let standard = Resampling(resamples: 1000)

    /// Texts that are drawn.
    package let resamples: Int
    /// The seed of the draws.
    package let seed: UInt64

    /// Chooses so many texts, at least two; the seed is sacreBLEU's.
    package init(resamples: Int, seed: UInt64 = 12345) {
        precondition(resamples > 1, "\(resamples) texts")
        self.resamples = resamples
        self.seed = seed
    }

    /// Where 95 of 100 scores lie.
    package struct Confidence: Sendable, Hashable {
        /// The mean score of the drawn texts.
        package let mean: Double
        /// Half the distance from the lower end to the upper.
        package let margin: Double
    }

    /// Of a text and of another for the same references.
    package struct Comparison: Sendable, Hashable {
        /// The text's confidence.
        package let confidence: Confidence
        /// The other text's confidence.
        package let baseline: Confidence
        /// How likely chance alone makes the two differ as much as they do.
        package let probability: Double
    }

    /// The confidence in the score of one text of at least one line.
    ///
    /// - Parameter statistics: of each line.
    package func confidence<M: Metric>(in statistics: [[Double]], by metric: M) -> Confidence {
        let scores = scores(of: [statistics], by: metric)[0]
        let confidence = Self.confidence(scores)
        // The mean of one text is that of Python's statistics module, exact but for its rounding.
        let mean = Self.exactSum(scores.values) / Double(resamples)
        return Confidence(
            mean: scores.isSinglePrecision ? Double(Float(mean)) : mean, margin: confidence.margin)
    }

    /// Compares a text with a baseline; both have the same draws.
    package func comparison<M: Metric>(
        of statistics: [[Double]], with baseline: [[Double]], by metric: M
    ) -> Comparison {
        let both = scores(of: [statistics, baseline], by: metric)
        let difference = abs(
            metric.score(of: baseline)!.value - metric.score(of: statistics)!.value)
        let differences = zip(both[0].values, both[1].values).map { $0 - $1 }
        let isSinglePrecision = both[0].isSinglePrecision && both[1].isSinglePrecision
        let larger =
            isSinglePrecision
            ? Self.count(differences.map { Float($0) }, beyond: Float(difference))
            : Self.count(differences, beyond: difference)
        return Comparison(
            confidence: Self.confidence(both[0]), baseline: Self.confidence(both[1]),
            probability: Double(larger + 1) / Double(resamples + 1))
    }

    /// Differences that lie farther above their mean than the difference at hand.
    private static func count<Number: BinaryFloatingPoint>(
        _ differences: [Number], beyond difference: Number
    ) -> Int {
        let sizes = differences.map { $0.magnitude }
        let mean = PairwiseSum.mean(sizes)
        return sizes.count { $0 - mean > difference }
    }

    private struct Scores {
        var values: [Double] = []
        /// Whether all are numbers of 32 bits, in which numpy then goes on.
        var isSinglePrecision = true
    }

    /// The scores of the drawn texts, all systems with the same draws.
    private func scores<M: Metric>(of systems: [[[Double]]], by metric: M) -> [Scores] {
        var tables = systems.map(Table.init)
        let lines = systems[0].count
        var generator = PCG64(seed: seed)
        var scores = systems.map { _ in Scores() }
        for _ in 0..<resamples {
            for _ in 0..<lines {
                let line = generator.next(below: lines)
                for system in tables.indices { tables[system].add(line) }
            }
            for system in tables.indices {
                let score = metric.result(of: tables[system].takeSums())
                scores[system].values.append(score.value)
                scores[system].isSinglePrecision =
                    scores[system].isSinglePrecision && score.isSinglePrecision
            }
        }
        return scores
    }

    /// Statistics of lines, end to end, and a sum of some: in 32 bits, as numpy's are.
    private struct Table {
        let cells: [Float]
        let width: Int
        var sums: [Float]

        init(_ lines: [[Double]]) {
            cells = lines.flatMap { $0.map { Float($0) } }
            width = lines[0].count
            sums = Array(repeating: 0, count: width)
        }

        mutating func add(_ line: Int) {
            let start = line * width
            for column in 0..<width { sums[column] += cells[start + column] }
        }

        mutating func takeSums() -> [Float] {
            defer { sums = Array(repeating: 0, count: width) }
            return sums
        }
    }

    private static func confidence(_ scores: Scores) -> Confidence {
        let ascending = scores.values.sorted()
        let outside = ascending.count / 40
        let (lower, upper) = (ascending[outside], ascending[ascending.count - outside - 1])
        guard scores.isSinglePrecision else {
            return Confidence(mean: PairwiseSum.mean(ascending), margin: 0.5 * (upper - lower))
        }
        return Confidence(
            mean: Double(PairwiseSum.mean(ascending.map { Float($0) })),
            margin: Double(0.5 * (Float(upper) - Float(lower))))
    }

    /// A sum whose error is that of its last rounding (Neumaier).
    private static func exactSum(_ values: [Double]) -> Double {
        var sum = 0.0
        var lost = 0.0
        for value in values.sorted() {
            let next = sum + value
            lost += abs(sum) >= abs(value) ? (sum - next) + value : (value - next) + sum
            sum = next
        }
        return sum + lost
    }
}
