/// A figure that every step has.
package enum Column: String, CaseIterable, Sendable {
    case loss, nll
    case learningRate = "learning_rate"
    case gradientNorm = "gradient_norm"
    case tokensPerSecond = "tokens_per_s"
    case stepSeconds = "step_s"
    case computeSeconds = "compute_s"
    case foldSeconds = "fold_s"
    case waitSeconds = "wait_s"

    /// Its place in a record.
    package var index: Int { Self.places[self]! }

    private static let places = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
    static let count = allCases.count
}

/// Least, greatest and mean of some steps' figures; those that are no finite numbers do not count.
package struct Summary: Equatable, Sendable {
    /// The least of them; infinite without any.
    package var least = Float.infinity
    /// The greatest of them; minus infinity without any.
    package var greatest = -Float.infinity
    /// Their mean; 0 without any.
    package var mean: Float { count > 0 ? Float(sum / Double(count)) : 0 }
    /// How many they are.
    package var count = 0
    var sum = 0.0

    /// Begins with none.
    package init() {}

    mutating func add(_ value: Float) {
        guard value.isFinite else { return }
        least = min(least, value)
        greatest = max(greatest, value)
        sum += Double(value)
        count += 1
    }

    mutating func add(_ other: Summary) {
        guard other.count > 0 else { return }
        least = min(least, other.least)
        greatest = max(greatest, other.greatest)
        sum += other.sum
        count += other.count
    }
}
