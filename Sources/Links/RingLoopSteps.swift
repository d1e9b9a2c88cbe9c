import Kernels
import Parameters
import Ring

/// Begins steps, and ends them before their time.
extension RingLoop {
    func begin(_ input: RingStep) {
        FloatingPointMode.require()
        guard let membership, !membership.broken else { return }
        guard membership.formed else {
            waitingStep = input
            return
        }
        start(input)
    }

    func start(_ input: RingStep) {
        guard let membership, folds != nil else { return }
        folds!.readsPredecessor = inbound?.lane != nil
        folds!.release(before: input.step)
        // The successor still reads what this step would overwrite.
        guard folds!.isClear else {
            waitingStep = input
            return
        }
        waitingStep = nil
        do throws(RingPlanError) {
            let plan = try RingPlan(
                rank: membership.value.rank, shardBounds: membership.value.shardBounds,
                count: input.total.count,
                chunkElements: configuration.chunkElements(membership.value),
                collective: membership.value.collective, wire: membership.value.wire,
                inPlace: membership.value.sumsInPlace)
            folds!.begin(
                step: input.step, plan: plan, gradients: input.gradients, total: input.total,
                ways: ways(input, plan, membership.value))
            step = Step(input: input, processorAtStart: processorSeconds())
        } catch {
            breakUp(.plan(error))
            return
        }
        guard showVectors(input, membership.value) else { return }
        releaseHeld()
    }

    private func ways(
        _ input: RingStep, _ plan: RingPlan, _ membership: RingMembership
    ) -> FoldWays {
        var ways = FoldWays()
        if let lane = link?.lane, lane.isOpen {
            ways.sendsByMemory = membership.sumsInPlace || lane.holds(input.total)
        }
        ways.predecessor = inbound?.lane?.numbers.vector
        if membership.sumsInPlace {
            // Called while `folds` is changed: it must not look at that.
            ways.all = { [unowned self] () throws(FoldFault) in
                try readableVectors(input, plan, membership)
            }
        }
        return ways
    }

    func abandon() {
        folds?.abandon(upTo: waitingStep?.step ?? 0)
        step = nil
        unread = nil
        waitingStep = nil
        // Whose gradients and total these are may do with them what he likes now.
        link?.stream?.writer.keep()
        releaseHeld()
    }
}
