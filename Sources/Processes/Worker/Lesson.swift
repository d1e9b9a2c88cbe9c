import Parameters
import Settings
import Training
import Wire

/// A state that is learned in pieces, each as of a step of its own, while others train on.
///
/// Totals of later steps bring a piece forward by the same arithmetic that the members use, so that
/// the whole ends with their bits.
struct Lesson {
    private let state: TrainingState
    private let arithmetic: StepArithmetic
    /// As of which step each range is there; -1 for not at all.
    private var steps: [Int]
    private var adamCounts: [Int]
    /// A total's floats at an address that fits them.
    private let total = ParameterVector(count: WireLimit.pieceElements)

    /// What is wrong with a piece.
    struct Unfit: Error {}

    /// Begins with nothing, or with the whole state of step `from` that is to be brought forward.
    init(into state: TrainingState, from step: Int?, _ arithmetic: StepArithmetic) {
        self.state = state
        self.arithmetic = arithmetic
        let ranges = (state.count + WireLimit.pieceElements - 1) / WireLimit.pieceElements
        steps = Array(repeating: step ?? -1, count: ranges)
        adamCounts = Array(repeating: state.adamCount, count: ranges)
    }

    /// Puts a piece in its place. Throws: `Unfit` for one that has no place, and changes nothing.
    mutating func take(_ piece: StatePiece) throws(Unfit) {
        let (index, rest) = piece.offset.quotientAndRemainder(dividingBy: WireLimit.pieceElements)
        guard rest == 0, index < steps.count else { throw Unfit() }
        let end = min(piece.offset + WireLimit.pieceElements, state.count)
        guard piece.count == end - piece.offset else { throw Unfit() }
        switch piece.content {
        case .state(let bytes): store(bytes, piece.offset..<end)
        case .total(let bytes, let squaredNorm, let learningRate):
            guard piece.adamCount >= 1, piece.step >= 1 else { throw Unfit() }
            // Of another step than the range waits for: it would be counted twice or too early.
            guard steps[index] == piece.step - 1 else { return }
            bytes.withUnsafeBytes { total.store(bytes: $0, at: 0) }
            arithmetic.replay(
                piece.offset..<end, of: state, total: total, squaredNorm: squaredNorm,
                rate: learningRate, adamCount: piece.adamCount)
        case .nothing: throw Unfit()
        }
        steps[index] = piece.step
        adamCounts[index] = piece.adamCount
        finish()
    }

    /// A skipped step changes nothing but its number.
    mutating func pass(_ step: Int) {
        guard step >= 1 else { return }
        for index in steps.indices where steps[index] == step - 1 { steps[index] = step }
        finish()
    }

    private func store(_ bytes: [UInt8], _ range: Range<Int>) {
        bytes.withUnsafeBytes { all in
            let size = 4 * range.count
            let vectors = [state.parameters, state.firstMoment, state.secondMoment]
            for (section, vector) in vectors.enumerated() {
                let part = all[section * size..<(section + 1) * size]
                vector.store(bytes: UnsafeRawBufferPointer(rebasing: part), at: range.lowerBound)
            }
        }
    }

    /// All ranges are there, as of one step.
    var isWhole: Bool {
        guard let step = steps.first, step >= 0 else { return false }
        return steps.allSatisfy { $0 == step }
    }

    private func finish() {
        guard isWhole, adamCounts[0] <= steps[0] else { return }
        state.adopt(step: steps[0], adamCount: adamCounts[0])
    }
}
