import Inference
import Settings

extension CheckpointDifference {
    /// The whole comparison for a person.
    package var text: String {
        var text = """
            a           \(side(first))
            b           \(side(second))

            """
        text += settingLines
        text += "tokenizer   \(hasSameTokenizer ? "the same" : "differs")\n"
        text += "parameters  \(parameters.sentence)\n"
        text += "moments     \(moments.sentence)\n"
        if let ledgers { text += "ledgers     \(ledgers.sentence)\n" }
        if let commonStep {
            text +=
                "note        both runs keep a checkpoint of step \(commonStep): name those two "
                + "to compare like with like\n"
        }
        let table = parameters.table
        return table.isEmpty ? text : text + "\n" + table
    }

    /// Why the two are not equal, in a sentence; nil if they are.
    package var verdict: String? {
        if isEqual { return nil }
        var parts: [String] = []
        if first.step != second.step { parts.append("step \(first.step) and \(second.step)") }
        let model = settings.filter { $0.changesNumbers }
        if !model.isEmpty {
            let names = model.prefix(3).map { $0.setting.flag }.joined(separator: ", ")
            parts.append("settings \(names)\(model.count > 3 ? ", …" : "")")
        }
        if !hasSameTokenizer { parts.append("the tokenizers") }
        if !parameters.isEqual { parts.append(parameters.summary(of: "tensors of parameters")) }
        if parameters.isEqual, !moments.isEqual {
            parts.append(moments.summary(of: "tensors of moments"))
        }
        if let parting = ledgers?.parting { parts.append("the ledgers from step \(parting.step)") }
        let (one, other) = (shown(first.found.folder.path), shown(second.found.folder.path))
        return "\(one) and \(other) differ in \(parts.joined(separator: "; "))"
    }

    private func side(_ side: Side) -> String {
        "\(shown(side.found.folder.path).visibleLine), step \(side.step), digest \(side.digest)"
    }

    private var settingLines: String {
        let computed = settings.filter(\.changesNumbers)
        let idle = settings.filter { !$0.changesNumbers }
        let head = computed.isEmpty ? "settings    agree where numbers depend on them\n" : ""
        let rows = (computed + idle).map { difference in
            let remark = difference.changesNumbers ? "" : "  (changes no number)"
            return "setting     \(difference.setting.flag): \(difference.first ?? "unset") | "
                + "\(difference.second ?? "unset")\(remark)\n"
        }
        return head + rows.joined()
    }
}

extension TensorDifferences {
    /// `12 of 40 tensors differ, the most in decoder.norm.weight by 0.0123`.
    package var sentence: String {
        let count = compared + unmatched.count
        if isEqual { return "\(count) tensors agree in every bit" }
        if compared == 0 { return "no tensor of one fits one of the other: other architectures" }
        return summary(of: "tensors differ")
    }

    func summary(of what: String) -> String {
        var parts: [String] = []
        if !differing.isEmpty {
            let most = differing.max { one, other in
                // What is no number differs the most.
                !one.largest.isNaN && (other.largest.isNaN || one.largest < other.largest)
            }
            parts.append("\(differing.count) of \(compared + unmatched.count) \(what)")
            if let most {
                parts.append("the most in \(most.name) by \(brief(most.largest))")
            }
        }
        if !unmatched.isEmpty {
            let some = unmatched.prefix(2).map(\.sentence).joined(separator: ", ")
            parts.append(
                "\(unmatched.count) of another architecture (\(some)"
                    + "\(unmatched.count > 2 ? ", …" : ""))")
        }
        return parts.joined(separator: ", ")
    }

    /// A row for each tensor that differs; empty where none does.
    var table: String {
        if isEqual { return "" }
        let rows =
            [["TENSOR", "DIFFER", "OF", "MAX |a-b|", "‖a-b‖/‖a‖"]]
            + differing.map {
                [
                    $0.name, grouped($0.differing), grouped($0.count), brief($0.largest),
                    brief($0.relative),
                ]
            }
        let widths = rows[0].indices.map { column in
            rows.map { $0[column].count }.max() ?? 0
        }
        let table =
            differing.isEmpty
            ? ""
            : rows.map { row in
                row.indices.map { padded(row[$0], $0 == 0 ? widths[0] : -widths[$0]) }
                    .joined(separator: "  ") + "\n"
            }.joined()
        return table + unmatched.map { "\($0.sentence)\n" }.joined()
    }
}

extension UnmatchedTensor {
    /// `encoder.norm.weight only in a`.
    package var sentence: String {
        switch self {
        case .onlyFirst(let name): "\(name) only in a"
        case .onlySecond(let name): "\(name) only in b"
        case .otherShape(let name, let first, let second):
            "\(name) \(shape(first)) in a, \(shape(second)) in b"
        }
    }

    private func shape(_ extents: [Int]) -> String {
        extents.isEmpty ? "a number" : extents.map(String.init).joined(separator: " × ")
    }
}

extension LedgerDifference {
    /// `part at step 37: the total gradient, abc… | def…; steps 1..36 agree`.
    package var sentence: String {
        guard !common.isEmpty else {
            return "have no step in common: \(steps(first)) | \(steps(second))"
        }
        guard let parting else { return "\(steps(common)) agree" }
        let before = common.lowerBound..<parting.step
        let agreed = before.isEmpty ? "it is the first that both have" : "\(steps(before)) agree"
        return "part at step \(parting.step): \(parting.subject.words), \(parting.first) | "
            + "\(parting.second); \(agreed)"
    }

    private func steps(_ range: Range<Int>) -> String {
        range.count == 1
            ? "step \(range.lowerBound)" : "steps \(range.lowerBound)..\(range.upperBound - 1)"
    }
}

extension LedgerDifference.Subject {
    /// What differs, in words.
    package var words: String {
        switch self {
        case .arithmetic: "the version of the arithmetic"
        case .samples: "the samples"
        case .state: "the state before it"
        case .labels: "the labels"
        case .loss: "the loss"
        case .verdict: "the verdict"
        case .total: "the total gradient"
        }
    }
}

/// Four digits that count: `0.01235`, `1.2e-07`.
private func brief(_ number: Double) -> String {
    if number == 0 || number.isNaN || number.isInfinite { return fixed(number, 0) }
    let size = abs(number)
    return size >= 1e-3 && size < 1e5 ? fixed(number, 5) : scientific(number)
}
