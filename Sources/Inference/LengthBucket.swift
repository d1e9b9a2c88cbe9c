/// The lines of a text whose references have so many tokens.
package struct LengthBucket: Sendable, Equatable {
    /// The lengths; without an upper end in the last bucket of a text with a long tail.
    package let tokens: ClosedRange<Int>
    /// The indices of the lines, ascending; at least one.
    package let lines: [Int]

    /// The end of a bucket that has none.
    package static let unbounded = Int.max

    /// Divides lines by their lengths, so that at most seven buckets of one width hold nineteen of
    /// twenty lines, and one more holds the rest. Buckets without lines are left out.
    package static func buckets(of lengths: [Int]) -> [LengthBucket] {
        guard !lengths.isEmpty else { return [] }
        let usual = max(1, lengths.sorted()[(lengths.count - 1) * 95 / 100])
        let width = widths.first { (usual + $0 - 1) / $0 <= most } ?? (usual + most - 1) / most
        let regular = (usual + width - 1) / width
        var members = [[Int]](repeating: [], count: regular + 1)
        for (index, length) in lengths.enumerated() {
            members[min(max(0, length - 1) / width, regular)].append(index)
        }
        return members.enumerated().compactMap { number, lines in
            guard !lines.isEmpty else { return nil }
            let first = number * width + 1
            let last = number < regular ? first + width - 1 : unbounded
            // The shortest reference may have no token at all.
            return LengthBucket(
                tokens: (number == 0 ? 0 : first)...last, lines: lines)
        }
    }

    private static let most = 7
    private static let widths = [1, 2, 3, 4, 5, 10, 15, 20, 25, 50, 100, 200, 500, 1000]
}
