/// The fewest insertions, deletions and substitutions between a hypothesis and a reference, searched
/// in a band along the diagonal as sacreBLEU does: two texts of very different order may be nearer.
///
/// The rows of one hypothesis are kept, so that another of the same length that begins alike is
/// computed from where the two part.
///
/// Source: sacreBLEU 2.6.0, metrics/lib_ter.py, BeamEditDistance.
struct EditDistance {
    enum Operation: UInt8 {
        case keep, substitute
        /// A word of the reference that the hypothesis lacks.
        case insert
        /// A word of the hypothesis that the reference lacks.
        case delete
    }

    /// Costs and last operations of a row, from column `first` on; a column outside is out of reach.
    struct Row {
        var first: Int
        var costs: [Int]
        var operations: [Operation]

        func cost(at column: Int) -> Int {
            costs.indices.contains(column - first) ? costs[column - first] : unreachable
        }
    }

    private static let beamWidth = 25
    private static let unreachable = 10_000_000_000_000_000

    let reference: [UInt32]
    /// Row i belongs to the first i words of the hypothesis.
    private(set) var rows: [Row]
    private(set) var hypothesis: [UInt32]

    init(from hypothesis: [UInt32], to reference: [UInt32]) {
        self.reference = reference
        self.hypothesis = hypothesis
        rows = [
            Row(
                first: 0, costs: Array(0...reference.count),
                operations: Array(repeating: .insert, count: reference.count + 1))
        ]
        for index in hypothesis.indices {
            rows.append(row(index + 1, of: hypothesis, below: rows[index]))
        }
    }

    var cost: Int { rows[hypothesis.count].cost(at: reference.count) }

    /// The cost of a hypothesis of the same length; `common` words at the beginning are the same.
    func cost(of other: [UInt32], common: Int) -> Int {
        var last = rows[common]
        for index in common..<other.count { last = row(index + 1, of: other, below: last) }
        return last.cost(at: reference.count)
    }

    private func row(_ number: Int, of hypothesis: [UInt32], below: Row) -> Row {
        let ratio = Double(reference.count) / Double(hypothesis.count)
        // A reference of many more words than the hypothesis needs a band that reaches the next row.
        let width =
            Double(Self.beamWidth) < ratio / 2
            ? Int((ratio / 2 + Double(Self.beamWidth)).rounded(.up)) : Self.beamWidth
        let diagonal = Int((Double(number) * ratio).rounded(.down))
        let first = max(0, diagonal - width)
        let end =
            number == hypothesis.count
            ? reference.count + 1 : min(reference.count + 1, diagonal + width)
        var row = Row(first: first, costs: [], operations: [])
        row.costs.reserveCapacity(end - first)
        row.operations.reserveCapacity(end - first)
        let word = hypothesis[number - 1]
        for column in first..<max(first, end) {
            var cost = Self.unreachable
            var operation = Operation.delete
            if column > 0 {
                let same = word == reference[column - 1]
                let substituted = below.cost(at: column - 1) + (same ? 0 : 1)
                if substituted < cost {
                    (cost, operation) = (substituted, same ? .keep : .substitute)
                }
            }
            let deleted = below.cost(at: column) + 1
            if deleted < cost { (cost, operation) = (deleted, .delete) }
            if column > first, row.costs[column - first - 1] + 1 < cost {
                (cost, operation) = (row.costs[column - first - 1] + 1, .insert)
            }
            row.costs.append(cost)
            row.operations.append(operation)
        }
        return row
    }

    /// For each word of the reference the word of the hypothesis that it stands for, −1 before the
    /// first; and which words of both are wrong.
    var alignment: Alignment {
        var alignment = Alignment(
            positions: Array(repeating: -1, count: reference.count),
            wrongInReference: Array(repeating: true, count: reference.count),
            wrongInHypothesis: Array(repeating: true, count: hypothesis.count))
        var row = hypothesis.count
        var column = reference.count
        while row > 0 || column > 0 {
            let operation = rows[row].operations[column - rows[row].first]
            switch operation {
            case .keep, .substitute:
                row -= 1
                column -= 1
                alignment.positions[column] = row
                alignment.wrongInReference[column] = operation == .substitute
                alignment.wrongInHypothesis[row] = operation == .substitute
            case .insert:
                column -= 1
                alignment.positions[column] = row - 1
            case .delete: row -= 1
            }
        }
        return alignment
    }

    struct Alignment {
        var positions: [Int]
        var wrongInReference: [Bool]
        var wrongInHypothesis: [Bool]
    }
}
