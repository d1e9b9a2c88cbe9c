/// A column of a row of logits, with the log of its probability.
package struct Ranked: Sendable, Equatable {
    /// The column, from 0: a token's id.
    package let column: Int32
    /// The natural logarithm of its probability.
    package let logProbability: Float

    /// Makes a ranked column of its parts.
    package init(column: Int32, logProbability: Float) {
        self.column = column
        self.logProbability = logProbability
    }
}

extension Matrix {
    /// Returns the `count` likeliest columns of a row of logits, likeliest
    /// first, the lower of equals first.
    ///
    ///     log p_c = z_c − log Σ e^z
    ///
    /// Columns below `first` take part in the sum but are not ranked. A logit that is not a number
    /// is not ranked either. So the result may be shorter than `count`, even empty.
    package func ranked(row index: Int, count: Int, from first: Int) -> [Ranked] {
        precondition(index >= 0 && index < rows && first <= columns && count > 0)
        let logits = row(index)
        let normaliser = logSumExp(logits, count: columns)
        var best: [Ranked] = []
        best.reserveCapacity(count + 1)
        var threshold = -Float.infinity
        var column = first
        while column < columns {
            // Nearly always none of eight is good enough.
            if best.count == count, column + 8 <= columns,
                !any(logits.wide(column) .> Wide(repeating: threshold))
            {
                column += 8
                continue
            }
            let value = logits[column]
            if value > threshold || (best.count < count && value == threshold) {
                let place = best.firstIndex { $0.logProbability < value } ?? best.count
                best.insert(Ranked(column: Int32(column), logProbability: value), at: place)
                if best.count > count { best.removeLast() }
                if best.count == count { threshold = best[count - 1].logProbability }
            }
            column += 1
        }
        return best.map {
            Ranked(column: $0.column, logProbability: $0.logProbability - normaliser)
        }
    }

    /// Returns one ranked column of a row of logits, however likely it is.
    package func ranked(row index: Int, column: Int) -> Ranked {
        precondition(index >= 0 && index < rows && column >= 0 && column < columns)
        let logits = row(index)
        return Ranked(
            column: Int32(column),
            logProbability: logits[column] - logSumExp(logits, count: columns))
    }
}

/// Returns log Σ e^z, not a number if any z is not.
private func logSumExp(_ logits: UnsafeMutablePointer<Float>, count: Int) -> Float {
    var highest = Wide(repeating: -.infinity)
    sweep(count) {
        highest = highest.larger(logits.wide($0))
    } part: {
        highest = highest.larger(logits.part($0, $1, rest: -.infinity))
    }
    let maximum = highest.maximum
    let sum = total(count) { index, part in
        guard let part else { return exponential(logits.wide(index) - maximum) }
        var powers = exponential(logits.part(index, part, rest: -.infinity) - maximum)
        for lane in part..<8 { powers[lane] = 0 }
        return powers
    }
    return maximum + Elementary.logarithm(sum)
}
