import Foundation

/// The figures of a run's steps, and their summaries over 2⁴, 2⁸, … 2²⁰ steps, in files.
///
/// Level 0 has one record a step: a number a column. A record of another level has four numbers a
/// column: least, greatest, mean and how many. What a level has not completed is kept in memory.
final class Pyramid {
    /// Exponents of the levels.
    static let levels = [0, 4, 8, 12, 16, 20]
    /// A step this far behind the last one is taken for damage.
    static let widestGap = 1 << 20
    private static let columns = Column.count

    /// The number of steps.
    private(set) var count = 0
    private let files: [RecordFile]
    /// By level; that of level 0 is not used.
    private var open = levels.map { _ in [Summary](repeating: Summary(), count: columns) }
    private var waiting = levels.map { _ in [Float]() }

    /// Opens the files of a folder with so many steps; nil where they do not have as many.
    init?(_ folder: String, count: Int) {
        var files: [RecordFile] = []
        for level in Self.levels {
            let numbers = level == 0 ? Self.columns : 4 * Self.columns
            guard
                let file = RecordFile(
                    "\(folder)/level-\(level)", length: 4 * numbers, count: count >> level)
            else { return nil }
            files.append(file)
        }
        self.files = files
        self.count = count
        for index in 1..<Self.levels.count {
            let begin = (count >> Self.levels[index]) << Self.levels[index]
            open[index] = summary(begin..<count, below: index)
        }
    }

    /// Takes a step that has not been taken. Returns false for one that can be none.
    @discardableResult
    func append(step: Int, _ values: [Float]) -> Bool {
        guard step > count, step - count <= Self.widestGap else { return false }
        while count < step - 1 { put([Float](repeating: .nan, count: Self.columns)) }
        put(values)
        return true
    }

    private func put(_ values: [Float]) {
        waiting[0] += values
        count += 1
        for index in 1..<Self.levels.count {
            for (column, value) in values.enumerated() { open[index][column].add(value) }
            guard count & (1 << Self.levels[index] - 1) == 0 else { continue }
            for summary in open[index] {
                waiting[index] += [
                    summary.least, summary.greatest, summary.mean,
                    // Levels end at 2²⁰, where whole numbers of 24 bits are exact.
                    Float(summary.count),
                ]
            }
            open[index] = [Summary](repeating: Summary(), count: Self.columns)
        }
        if waiting[0].count >= 1 << 16 { flush() }
    }

    /// Writes what waits. Returns whether the disk has taken all.
    @discardableResult
    func flush() -> Bool {
        for index in files.indices where !waiting[index].isEmpty {
            guard files[index].append(waiting[index]) else { return false }
            waiting[index].removeAll(keepingCapacity: true)
        }
        return true
    }

    /// Summaries of the steps of `range` (counted from 0), `each` steps to one, column by column.
    func summaries(_ range: Range<Int>, each: Int) -> [[Summary]] {
        let range = range.clamped(to: 0..<count)
        guard !range.isEmpty else { return [] }
        flush()
        var result: [[Summary]] = []
        result.reserveCapacity(range.count / each + 1)
        var begin = range.lowerBound
        while begin < range.upperBound {
            // Blocks lie on a grid that does not depend on where the range begins.
            let end = min((begin / each + 1) * each, range.upperBound)
            result.append(summary(begin..<end, below: Self.levels.count))
            begin = end
        }
        return result
    }

    /// One summary, from as few records as do, of the levels before one.
    private func summary(_ range: Range<Int>, below: Int) -> [Summary] {
        var total = [Summary](repeating: Summary(), count: Self.columns)
        var begin = range.lowerBound
        while begin < range.upperBound {
            let index = (0..<below).last { index in
                let size = 1 << Self.levels[index]
                return begin & (size - 1) == 0 && begin + size <= range.upperBound
            }!
            let level = Self.levels[index]
            // All of this level that follow.
            let coarser = index + 1 < below ? 1 << Self.levels[index + 1] : Int.max
            var end = begin + (((range.upperBound - begin) >> level) << level)
            if coarser < .max { end = min(end, (begin / coarser + 1) * coarser) }
            add(index, begin >> level..<end >> level, to: &total)
            begin = end
        }
        return total
    }

    private func add(_ index: Int, _ records: Range<Int>, to total: inout [Summary]) {
        let numbers = files[index].read(records, as: Float.self)
        if index == 0 {
            for (place, value) in numbers.enumerated() { total[place % Self.columns].add(value) }
            return
        }
        for place in stride(from: 0, to: numbers.count - 3, by: 4) {
            var summary = Summary()
            summary.least = numbers[place]
            summary.greatest = numbers[place + 1]
            summary.count = Int(numbers[place + 3])
            summary.sum = Double(numbers[place + 2]) * Double(summary.count)
            total[place / 4 % Self.columns].add(summary)
        }
    }
}
