import Preparation
import Text

extension TextFacts {
    /// The sentences about what was left out, what is unknown and what is missing.
    package var notes: [Remark] {
        var notes = leftOut(summary.lines, tooLong, of: "the text")
        let validation = summary.validation
        notes += leftOut(
            validation ?? LineCounts(), tooLongHeldOut,
            of: validation == nil ? "what is held out" : "the validation file")
        notes += unknown(coverage, in: "the training text")
        notes += unknown(coverageHeldOut, in: "what is held out")
        if !rewritten.isEmpty {
            let some = rewritten.prefix(5).map(\.named).joined(separator: ", ")
            let number = "\(grouped(rewritten.count)) character\(rewritten.count == 1 ? "" : "s")"
            notes.append(
                Remark(
                    sentence: "the tokenizer writes \(number) of the text otherwise: \(some)"
                        + (rewritten.count > 5 ? ", …" : ""),
                    isWarning: false))
        }
        let marks = summary.lines.spaceMarks + (validation?.spaceMarks ?? 0)
        if marks > 0 {
            let number = marks == 1 ? "a ▁ (U+2581) is" : "\(grouped(marks)) ▁ (U+2581) are"
            notes.append(
                Remark(
                    sentence: "\(number) read as space, for which it stands in a tokenizer",
                    isWarning: false))
        }
        if let shrunkFrom {
            notes.append(
                Remark(
                    sentence: "the vocabulary has \(grouped(vocabulary)) pieces, all that this "
                        + "text allows, instead of \(grouped(shrunkFrom))",
                    isWarning: false))
        }
        if heldOutSamples == 0 {
            let missing = validates ? "validated, nor shown at the end" : "shown at the end"
            notes.append(
                Remark(
                    sentence: "nothing is held out of this text, so nothing is \(missing): give "
                        + "--validation, or more text",
                    isWarning: false))
        }
        return notes
    }

    private func leftOut(
        _ lines: LineCounts, _ tooManyTokens: Skipped, of text: String
    ) -> [Remark] {
        var notes: [Remark] = []
        if lines.dropped > 0 {
            notes.append(
                Remark(sentence: "left out of \(text): \(sentence(of: lines))", isWarning: false))
        }
        let tooLong = lines.tooLong.and(tooManyTokens)
        if tooLong.count > 0 {
            notes.append(
                Remark(
                    sentence: "left out of \(text): \(sentence(of: tooLong, positions: positions))",
                    isWarning: true))
        }
        return notes
    }
}

/// Lines without words: `2 blank lines, 3 pairs with an empty side (the first: a.tsv:7)`.
package func sentence(of lines: LineCounts) -> String {
    var parts: [String] = []
    if lines.blank > 0 {
        parts.append("\(grouped(lines.blank)) blank line\(lines.blank == 1 ? "" : "s")")
    }
    let empty = lines.emptySource + lines.emptyTarget
    if empty > 0 {
        parts.append("\(grouped(empty)) pair\(empty == 1 ? "" : "s") with an empty side")
    }
    let first = lines.firstDropped.map { place in
        lines.dropped == 1 ? " (\(shown(place)))" : " (the first: \(shown(place)))"
    }
    return parts.joined(separator: ", ") + (first ?? "")
}

/// Pairs that are too long: `7 pairs too long for --positions 64 (a.tsv:3, a.tsv:9, …)`.
package func sentence(of tooLong: Skipped, positions: Int) -> String {
    let places = tooLong.places.map(shown).joined(separator: ", ")
    let more = tooLong.count > tooLong.places.count ? ", …" : ""
    return "\(grouped(tooLong.count)) pair\(tooLong.count == 1 ? "" : "s") too long for "
        + "--positions \(positions) (\(places)\(more))"
}

/// What a tokenizer does not know of a text; nothing where it knows all.
package func unknown(_ coverage: Coverage, in text: String) -> [Remark] {
    guard coverage.unknownTokens > 0 else { return [] }
    let characters = coverage.commonest(5).map(\.named).joined(separator: ", ")
    let share = 100 * coverage.unknownShare
    let percent = share < 0.01 ? "less than 0.01" : fixed(share, share < 1 ? 2 : 1)
    let kinds = coverage.unknown.count
    return [
        Remark(
            sentence: "\(grouped(coverage.unknownTokens)) of \(grouped(coverage.tokens)) tokens of "
                + "\(text) are unknown to the tokenizer (\(percent) %): \(grouped(kinds)) "
                + "character\(kinds == 1 ? "" : "s") such as \(characters)",
            isWarning: coverage.isPoor)
    ]
}

private func shown(_ place: Place) -> String { "\(shown(place.file)):\(place.line)" }
