import Scoring

extension BLEU.Details {
    /// Returns what stands behind a score that says little, in brackets; nothing behind others.
    ///
    /// - Parameter count: of lines.
    package func remark(lines count: Int) -> String {
        guard count > 0, referenceLength < BLEU.order * count else { return "" }
        let words = fixed(Double(referenceLength) / Double(count), 1)
        return " (which says little here: it counts runs of four words, and a reference has "
            + "\(words) on average)"
    }
}
