/// The buckets into which the distance of a key from its query falls. Each small
/// distance has its own; larger ones share buckets that widen with the logarithm. The
/// last has all from `farthest` on.
///
/// Source: Raffel et al., "Exploring the limits of transfer learning" (2020, T5), section 2.1.
package struct RelativeBuckets: Sendable {
    /// The number of buckets.
    package static let count = 32
    /// The distance from which on all share the last bucket.
    package static let farthest = 128

    /// The buckets of distances from -(positions - 1) to positions - 1.
    private let places: [Int32]
    private let positions: Int

    /// Lays out the buckets. With `causal` no key is ahead of its
    /// query, and all are for those behind.
    package init(positions: Int, causal: Bool) {
        self.positions = positions
        places = (1 - positions..<positions).map { distance in
            let half = causal ? Self.count : Self.count / 2
            let ahead = !causal && distance > 0 ? half : 0
            return Int32(ahead + Self.bucket(causal ? max(0, -distance) : abs(distance), of: half))
        }
    }

    private static func bucket(_ distance: Int, of count: Int) -> Int {
        let exact = count / 2
        if distance < exact { return distance }
        let ratio =
            Elementary.logarithm(Double(distance) / Double(exact))
            / Elementary.logarithm(Double(farthest) / Double(exact))
        return min(count - 1, exact + Int(ratio * Double(count - exact)))
    }

    /// The bucket of a key that stands `distance` behind (below 0) or ahead of the query.
    @inline(__always) package subscript(distance: Int) -> Int {
        Int(places[distance + positions - 1])
    }
}

/// A number for each head and bucket, added to the attention's logits.
package struct RelativeBias: Sendable {
    /// The buckets of the distances, which choose a column of the table.
    package let buckets: RelativeBuckets
    /// The numbers that are added. Shapes: [heads, buckets].
    package let table: Matrix

    /// Makes a bias of its parts; the table has a row for each head.
    package init(buckets: RelativeBuckets, table: Matrix) {
        self.buckets = buckets
        self.table = table
    }

    /// logits[j] += table[head, bucket(j - query)] · factor for every key.
    @inline(__always) func add(
        to logits: UnsafeMutablePointer<Float>, keys: Int, query: Int, head: Int, factor: Float
    ) {
        let row = table.row(head)
        for key in 0..<keys { logits[key] += row[buckets[key - query]] * factor }
    }

    /// gradient[head, bucket(j - query)] += slope[j] · factor for every key.
    @inline(__always) func collect(
        _ slope: UnsafeMutablePointer<Float>, keys: Int, query: Int, head: Int, factor: Float,
        into gradient: Matrix
    ) {
        let row = gradient.row(head)
        for key in 0..<keys { row[buckets[key - query]] += slope[key] * factor }
    }
}
