import Wire

/// A state that is learned piece by piece, each as of a step of its own.
struct ToyLesson: Sendable {
    private var sections: [[Float]]
    /// The step as of which each range is there; -1 for not at all.
    private var steps: [Int]

    /// Begins with nothing, or with a whole state that is to be brought forward.
    init(from state: ToyState?) {
        sections =
            state?.sections
            ?? Array(repeating: Array(repeating: 0, count: ToyModel.count), count: 3)
        let ranges = (ToyModel.count + ToyModel.pieceElements - 1) / ToyModel.pieceElements
        steps = Array(repeating: state?.step ?? -1, count: ranges)
    }

    /// Puts a piece in its place.
    mutating func take(_ piece: StatePiece) {
        let range = piece.offset / ToyModel.pieceElements
        switch piece.content {
        case .state(let bytes):
            let values = ToyModel.floats(in: bytes)
            let count = values.count / 3
            for section in 0..<3 {
                for index in 0..<count {
                    sections[section][piece.offset + index] = values[section * count + index]
                }
            }
        case .total(let bytes, _, _):
            guard steps[range] == piece.step - 1 else { return }
            ToyModel.update(&sections, ToyModel.floats(in: bytes)[...], at: piece.offset)
        case .nothing: return
        }
        steps[range] = piece.step
    }

    mutating func pass(_ step: Int) {
        for range in steps.indices where steps[range] == step - 1 { steps[range] = step }
    }

    /// The state, where all of it is of one step.
    var whole: ToyState? {
        guard let step = steps.first, step >= 0, steps.allSatisfy({ $0 == step }) else {
            return nil
        }
        return ToyState(step: step, sections: sections)
    }
}
