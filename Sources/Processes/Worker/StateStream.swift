import Coordination
import Parameters
import Training
import Wire

/// Cuts θ, m and v into slices, in that order, and keeps at most a few of them under way.
///
/// A position counts elements over all three sections: 0 is θ's first, 3·count the end.
package struct StateStream {
    static let sliceElements = 1 << 18
    static let window = StateSlice.window

    let step: Int
    let adamCount: Int
    private let sections: [ParameterVector]
    private var next = 0

    /// Streams `sections` (θ, m, v) as they are: they must not change meanwhile.
    init(step: Int, adamCount: Int, sections: [ParameterVector]) {
        precondition(sections.count == StateSection.allCases.count)
        self.step = step
        self.adamCount = adamCount
        self.sections = sections
    }

    var isFinished: Bool { next == Self.end(count: sections[0].count) }

    static func end(count: Int) -> Int { count * StateSection.allCases.count }

    /// The next slice, nil when all have been taken.
    mutating func take() -> StateSlice? {
        guard !isFinished else { return nil }
        let count = sections[0].count
        let section = next / count
        let offset = next % count
        let end = min(count, offset + Self.sliceElements)
        next += end - offset
        return StateSlice(
            step: step, adamCount: adamCount, section: StateSection(rawValue: UInt8(section))!,
            offset: offset, bytes: sections[section].withBytes(offset..<end) { Array($0) })
    }
}

/// Puts slices back together, in the order in which they were cut.
struct StateAssembly {
    private let state: TrainingState
    private var next = 0
    private var step = 0

    init(into state: TrainingState) { self.state = state }

    /// Stores a slice; nil if it does not continue what came before, else the position behind it.
    mutating func store(_ slice: StateSlice) -> Int? {
        let elements = slice.elements
        guard elements > 0, elements <= state.count, slice.offset <= state.count - elements else {
            return nil
        }
        let start = slice.start(count: state.count)
        if start == 0 {
            next = 0
            step = slice.step
        }
        guard start == next, slice.step == step else { return nil }
        let vector = [state.parameters, state.firstMoment, state.secondMoment][
            Int(slice.section.rawValue)]
        slice.bytes.withUnsafeBytes { vector.store(bytes: $0, at: slice.offset) }
        next += elements
        if isComplete { state.adopt(step: slice.step, adamCount: slice.adamCount) }
        return next
    }

    var isComplete: Bool { next == StateStream.end(count: state.count) }
}
