import Parameters
import Wire

/// The state that a worker gives to others and takes from them.
struct StateTransfer {
    private let runner: StepRunner
    /// A state that comes in slices.
    private var assembly: StateAssembly
    /// A state that is being learned from the members.
    private var lesson: Lesson?
    /// A copy that goes to the disk.
    private var stream: StateStream?

    init(of runner: StepRunner) {
        self.runner = runner
        assembly = StateAssembly(into: runner.state)
    }

    // MARK: taking

    /// Another state comes, or the ring is formed: what was learned counts no more.
    mutating func endLesson() { lesson = nil }

    /// Returns the answer to a slice, if that continues what came before.
    mutating func store(_ slice: StateSlice) -> WorkerMessage? {
        lesson = nil
        runner.stateIsWritten()
        guard let position = assembly.store(slice) else { return nil }
        if assembly.isComplete { runner.digestWritten() }
        return .sliceTaken(step: slice.step, position: position)
    }

    /// Learns a piece; `held`: the step of the whole state that was in memory when it came.
    mutating func learn(
        _ piece: StatePiece, from held: Int?
    ) throws(Lesson.Unfit) -> WorkerMessage {
        var lesson = lesson ?? runner.lesson(from: held)
        try lesson.take(piece)
        self.lesson = lesson
        certify(lesson)
        return .pieceTaken(offset: piece.offset)
    }

    /// A skipped step brings what is there forward.
    mutating func pass(_ step: Int, from held: Int?) {
        var lesson = lesson ?? runner.lesson(from: held)
        lesson.pass(step)
        self.lesson = lesson
        certify(lesson)
    }

    private func certify(_ lesson: Lesson) {
        runner.stateIsWritten()
        if lesson.isWhole { runner.digestWritten() }
    }

    // MARK: giving

    /// Returns what a pupil has asked for, or nothing where it is no more.
    func give(_ request: PieceRequest) -> WorkerMessage {
        let state = runner.state
        var piece = StatePiece(
            step: state.step, adamCount: state.adamCount, offset: request.offset, content: .nothing)
        runner.keepTotals(until: state.step + 2)
        if request.offset <= state.count - request.count {
            let range = request.offset..<request.offset + request.count
            switch request.subject {
            case .state:
                let vectors = [state.parameters, state.firstMoment, state.secondMoment]
                piece.content = .state(vectors.flatMap { $0.withBytes(range) { Array($0) } })
            case .total(let step):
                guard let kept = runner.keptTotal, kept.step == step else { break }
                piece.step = step
                piece.content = .total(
                    kept.vector.withBytes(range) { Array($0) }, squaredNorm: kept.squaredNorm,
                    learningRate: kept.learningRate)
            }
        }
        return .piece(piece)
    }

    /// Copies the state before updates overwrite it.
    ///
    /// - Returns: what the copy holds, and its first slices.
    mutating func capture(step: Int) -> [WorkerMessage] {
        let state = runner.state
        let copies = [state.parameters, state.firstMoment, state.secondMoment].map {
            let copy = ParameterVector(count: state.count)
            copy.copy(from: $0)
            return copy
        }
        let digest = FastDigest(combining: copies.map { FastDigest($0) })
        stream = StateStream(step: step, adamCount: state.adamCount, sections: copies)
        let slices = (0..<StateStream.window).compactMap { _ in next() }
        return [.captured(HeldState(step: step, digest: digest))] + slices
    }

    /// Returns the slice to send after one of that step's is stored.
    mutating func next(of step: Int) -> WorkerMessage? { stream?.step == step ? next() : nil }

    private mutating func next() -> WorkerMessage? {
        guard let slice = stream?.take() else { return nil }
        if stream?.isFinished == true { stream = nil }
        return .slice(slice)
    }

    /// Streams the copy no further.
    mutating func abandonCapture() { stream = nil }
}
