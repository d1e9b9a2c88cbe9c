import Coordination
import Parameters
import Wire

/// The state given to others and learned from them, while training goes on.
extension WorkerProcess {
    func give(_ request: PieceRequest) {
        guard let runner else { return }
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
        control.post(WorkerMessage.piece(piece).encoded)
    }

    func learn(_ piece: StatePiece, from step: Int?) {
        guard var lesson = lesson ?? newLesson(from: step) else { return }
        do throws(Lesson.Unfit) {
            try lesson.take(piece)
        } catch {
            return handle(.disconnected)
        }
        self.lesson = lesson
        control.post(WorkerMessage.pieceTaken(offset: piece.offset).encoded)
        certify(lesson)
    }

    func passStep(_ passed: Int, from step: Int?) {
        guard var lesson = lesson ?? newLesson(from: step) else { return }
        lesson.pass(passed)
        self.lesson = lesson
        certify(lesson)
    }

    private func newLesson(from step: Int?) -> Lesson? { runner?.lesson(from: step) }

    private func certify(_ lesson: Lesson) {
        runner?.stateIsWritten()
        if lesson.isWhole { runner?.digestWritten() }
    }
}
