import Text

extension BLEU {
    /// What stands behind a score that says little, in brackets; nothing behind others.
    package var remark: String {
        guard saysLittle else { return "" }
        let words = fixed(Double(referenceLength) / Double(count), 1)
        return " (which says little here: it counts runs of four words, and a reference has "
            + "\(words) on average)"
    }
}
