import Messaging
import Parameters
import Ring
import Wire

/// Sums of gradients where they lie, between workers of one host.
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

    /// All gradients and totals of a step.
    func readableVectors(
        _ input: RingStep, _ plan: RingPlan, _ membership: RingMembership
    ) throws(FoldFault) -> FoldVectors {
        do throws(MessagingError) {
            return try neighbourVectors.all(
                plan, own: (input.gradients, input.total), boards: membership.boards,
                membership.generation, step: input.step)
        } catch {
            throw .apart(reason: plainWords(error))
        }
    }

    private func breakUp(apart reason: String) -> Bool {
        breakUp(.apart(reason: reason))
        return false
    }
}
