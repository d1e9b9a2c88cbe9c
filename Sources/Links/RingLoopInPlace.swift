import Messaging
import Parameters
import Ring
import Wire

/// Sums of gradients where they lie, between workers of one host.
///
/// A total is read where it was made. Its maker writes there again when all have begun the next
/// step, which nobody does before he has taken this one's.
extension RingLoop {
    /// Says where own vectors lie; false, and the generation is broken, if others can't read them.
    func showVectors(_ input: RingStep, _ membership: RingMembership) -> Bool {
        guard membership.sumsInPlace else { return true }
        guard let board, membership.boards.count == membership.workers,
            input.gradients.count <= VectorBoard.places
        else {
            return breakUp(apart: "there is no board for \(input.gradients.count) gradients")
        }
        guard link?.lane?.isOpen == true, inbound?.lane != nil else {
            return breakUp(apart: "the memory of neighbours can't be mapped")
        }
        let handles = input.gradients.compactMap(mailbox.handle)
        guard handles.count == input.gradients.count, let total = mailbox.handle(of: input.total)
        else { return breakUp(apart: "there is no memory to share") }
        board.post(handles, total: total, membership.generation, step: input.step)
        return true
    }

    /// Makes a chunk's total: all before this worker have said that their gradients are there.
    func sumInPlace(_ chunk: Int, forward: Bool) throws(MessagingError) {
        guard let shared = sharedVectors() else { return }
        let range = step!.fold.plan.elements(ofChunk: chunk)
        step!.digests[chunk] = step!.numbers.finish(range, of: shared.all)
        if forward { try sendTotal(chunk, in: nil) }
    }

    /// Takes a total from where it was made; the next worker hears of it first.
    func takeInPlace(_ chunk: Int, _ header: FrameHeader, forward: Bool) throws(MessagingError) {
        step!.digests[chunk] = header.digest
        if forward { try sendTotal(chunk, in: nil) }
        guard let shared = sharedVectors() else { return }
        let plan = step!.fold.plan
        let range = plan.elements(ofChunk: chunk)
        let end = plan.end(ofSegment: plan.segment(ofChunk: chunk))
        let maker = shared.totals[end]
        let bytes = UnsafeRawBufferPointer(
            start: maker.unsafeAddress + range.lowerBound, count: 4 * range.count)
        let operand = ChunkOperand(bytes, checkedBy: header.digest)
        guard step!.numbers.store(operand, range) != nil else {
            // Its maker may be no neighbour; sums that travel are checked link by link.
            return breakUp(
                .apart(reason: "what place \(end + 1) has summed is not what it said"))
        }
    }

    /// All gradients and totals of the step; nil, and the generation is broken, if one can't be
    /// read.
    private func sharedVectors() -> (all: ChunkSum, totals: [ParameterVector])? {
        guard let membership = membership?.value, let step else { return nil }
        if let shared = step.shared { return shared }
        do throws(MessagingError) {
            let input = step.input
            let found = try neighbourVectors.all(
                step.fold.plan, own: (input.gradients, input.total), boards: membership.boards,
                membership.generation, step: input.step)
            let shared = (
                all: ChunkSum(found.gradients, rounding: rounding(membership, input.step)),
                totals: found.totals
            )
            self.step!.shared = shared
            return shared
        } catch {
            breakUp(.apart(reason: plainWords(error)))
            return nil
        }
    }

    func rounding(_ membership: RingMembership, _ step: UInt64) -> StochasticRounding {
        StochasticRounding(membership.wire, seed: membership.seed, step: step)
    }

    private func breakUp(apart reason: String) -> Bool {
        breakUp(.apart(reason: reason))
        return false
    }
}
