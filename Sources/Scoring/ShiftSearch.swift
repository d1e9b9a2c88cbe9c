/// Moves sequences of words of a hypothesis, one at a time, as long as that brings it nearer to the
/// reference.
///
/// Source: sacreBLEU 2.6.0, metrics/lib_ter.py, with its limits.
struct ShiftSearch {
    private static let longestShift = 10
    private static let farthestShift = 50
    /// Shifts tried for a pair of lines before what was found so far must do.
    private static let mostCandidates = 1000

    private var distance: EditDistance
    private var candidates = 0

    /// Edits and shifts together.
    static func edits(from hypothesis: [UInt32], to reference: [UInt32]) -> Int {
        if reference.isEmpty { return hypothesis.count }
        var search = ShiftSearch(distance: EditDistance(from: hypothesis, to: reference))
        var shifts = 0
        while let shifted = search.bestShift(), search.candidates < mostCandidates {
            guard shifted.gain > 0 else { break }
            shifts += 1
            search.distance = EditDistance(from: shifted.words, to: reference)
        }
        return shifts + search.distance.cost
    }

    private struct Shift {
        let gain: Int
        let length: Int
        let start: Int
        let target: Int
        let words: [UInt32]

        /// The larger gain, the longer sequence, the earlier one, the earlier place.
        func isBetter(than other: Shift) -> Bool {
            (gain, length, -start, -target) > (
                other.gain, other.length, -other.start, -other.target
            )
        }
    }

    /// Nil without a sequence that may be shifted.
    private mutating func bestShift() -> Shift? {
        let hypothesis = distance.hypothesis
        let before = distance.cost
        let alignment = distance.alignment
        var best: Shift?
        for start in hypothesis.indices {
            for position in positions(near: start) {
                for length in 1...Self.longestShift {
                    guard start + length <= hypothesis.count,
                        position + length <= distance.reference.count,
                        hypothesis[start + length - 1] == distance.reference[position + length - 1]
                    else { break }
                    for target in targets(start, position, length, alignment) {
                        let (words, common) = Self.shifted(hypothesis, start, length, target)
                        let shift = Shift(
                            gain: before - distance.cost(of: words, common: common),
                            length: length, start: start, target: target, words: words)
                        candidates += 1
                        if best.map(shift.isBetter) ?? true { best = shift }
                    }
                    if candidates >= Self.mostCandidates { return best }
                }
            }
        }
        return best
    }

    private func positions(near start: Int) -> Range<Int> {
        let first = max(0, start - Self.farthestShift)
        let end = min(distance.reference.count, start + Self.farthestShift + 1)
        return first..<max(first, end)
    }

    /// Where a sequence may go: only if it is wrong where it is, and wrong what is there.
    private func targets(
        _ start: Int, _ position: Int, _ length: Int, _ alignment: EditDistance.Alignment
    ) -> [Int] {
        guard alignment.wrongInHypothesis[start..<start + length].contains(true),
            alignment.wrongInReference[position..<position + length].contains(true),
            !(start..<start + length).contains(alignment.positions[position])
        else { return [] }
        var targets: [Int] = []
        for offset in -1..<length {
            let target = position + offset == -1 ? 0 : alignment.positions[position + offset] + 1
            if target != targets.last { targets.append(target) }
        }
        return targets
    }

    /// The words with a sequence elsewhere, and how many at the beginning stayed.
    private static func shifted(
        _ words: [UInt32], _ start: Int, _ length: Int, _ target: Int
    ) -> (words: [UInt32], common: Int) {
        let moved = words[start..<start + length]
        var rest = words
        rest.removeSubrange(start..<start + length)
        // A place behind the sequence counts the words in front of it; one within it counts as if
        // the sequence began there.
        let place =
            target < start ? target : target > start + length ? target - length : target
        rest.insert(contentsOf: moved, at: min(place, rest.count))
        return (rest, min(start, place))
    }
}
