/// The names in a run's `checkpoints` folder.
///
/// A checkpoint is `step-NNNNNN`. Names that begin with a dot are in passing: `.step-NNNNNN.tmp-K` is
/// being written or removed, `.step-NNNNNN.retired` is whole and about to be replaced.
enum CheckpointName: Equatable {
    case whole(step: Int)
    case retired(step: Int)
    case temporary(step: Int)

    init?(_ name: String) {
        let hidden = name.hasPrefix(".")
        let parts = name.drop { $0 == "." }.split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let step = Self.step(parts[0]), name.hasPrefix(hidden ? ".step" : "step") else {
            return nil
        }
        switch (hidden, parts.count) {
        case (false, 1): self = .whole(step: step)
        case (true, 2) where parts[1] == "retired": self = .retired(step: step)
        case (true, 2) where parts[1].hasPrefix("tmp-"): self = .temporary(step: step)
        default: return nil
        }
    }

    private static func step(_ text: Substring) -> Int? {
        guard text.hasPrefix("step-"), let step = Int(text.dropFirst(5)), step >= 0,
            text == whole(step)[...]
        else { return nil }
        return step
    }

    static func whole(_ step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    static func retired(_ step: Int) -> String { "." + whole(step) + ".retired" }

    /// A name that nothing in `folder` bears yet.
    static func temporary(_ step: Int, in folder: String) -> String {
        var index = 0
        while exists("\(folder)/.\(whole(step)).tmp-\(index)") { index += 1 }
        return ".\(whole(step)).tmp-\(index)"
    }
}
