/// The distances between words, for hints about misspelt names.
package enum Spelling {
    /// The first of the nearest among `names`; nil if even that is more than two edits away, or as
    /// many as `name` has letters.
    package static func nearest(to name: String, among names: [String]) -> String? {
        let distances = names.map { ($0, edits($0, name)) }
        guard let best = distances.min(by: { $0.1 < $1.1 }),
            best.1 <= min(2, name.utf8.count - 1)
        else { return nil }
        return best.0
    }

    /// Insertions, deletions, changes and swaps of neighbours that turn `a` into `b`.
    private static func edits(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        var before = Array(repeating: 0, count: b.count + 1)
        var row = Array(0...b.count)
        for i in a.indices {
            var next = [i + 1]
            for j in b.indices {
                let change = row[j] + (a[i] == b[j] ? 0 : 1)
                var least = min(change, row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    least = min(least, before[j - 1] + 1)
                }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[b.count]
    }
}
