import Messaging
import Parameters
import Ring

/// Sums of gradients where they lie, between workers of one host.
extension RingLoop {
    /// Says where own gradients lie; false, and the generation is broken, if others can't read them.
    func showGradients(_ input: RingStep, _ membership: RingMembership) -> Bool {
        guard membership.sumsInPlace else { return true }
        guard let board, membership.boards.count == membership.workers,
            input.gradients.count <= GradientBoard.places
        else {
            return breakUp(unshared: "there is no board for \(input.gradients.count) gradients")
        }
        // Headers go by memory, wherever a total lies.
        guard link?.lane?.isOpen == true, inbound?.lane != nil else {
            return breakUp(unshared: "the memory of neighbours can't be mapped")
        }
        let handles = input.gradients.compactMap(mailbox.gradients.handle)
        guard handles.count == input.gradients.count else {
            return breakUp(unshared: "no memory to share for a gradient")
        }
        board.post(handles, membership.generation, step: input.step)
        return true
    }

    /// Makes a chunk's total: all before this worker have said that their gradients are there.
    func sumInPlace(_ chunk: Int, forward: Bool) throws(MessagingError) {
        guard let membership, let all = allGradients(membership.value) else { return }
        let range = step!.fold.plan.elements(ofChunk: chunk)
        step!.digests[chunk] = step!.numbers.finish(range, of: all)
        if forward { try sendTotal(chunk, in: nil) }
    }

    /// The gradients of all shards; nil, and the generation is broken, if one can't be read.
    private func allGradients(_ membership: RingMembership) -> ChunkSum? {
        if let all = step!.all { return all }
        do throws(MessagingError) {
            let input = step!.input
            let gradients = try neighbourGradients.all(
                step!.fold.plan, own: input.gradients, boards: membership.boards,
                membership.generation, step: input.step)
            let all = ChunkSum(gradients, rounding: rounding(membership, input.step))
            step!.all = all
            return all
        } catch {
            breakUp(.unshared(reason: "\(error)"))
            return nil
        }
    }

    func rounding(_ membership: RingMembership, _ step: UInt64) -> StochasticRounding {
        StochasticRounding(membership.wire, seed: membership.seed, step: step)
    }

    private func breakUp(unshared reason: String) -> Bool {
        breakUp(.unshared(reason: reason))
        return false
    }
}
