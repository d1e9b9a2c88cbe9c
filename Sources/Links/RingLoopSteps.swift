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
        guard let membership else { return }
        let inPlace = membership.value.sumsInPlace
        let lane = link?.lane.flatMap {
            $0.isOpen && (inPlace || $0.holds(input.total)) ? $0 : nil
        }
        release(before: input.step)
        // The successor still reads what this step would overwrite.
        guard link?.lane?.isClear != false else {
            waitingStep = input
            return
        }
        waitingStep = nil
        let byteCount = input.total.byteCount
        if blocks?.byteCount != byteCount {
            blocks = FastDigest.Blocks(
                byteCount: byteCount, blockBytes: StepNumbers.blockBytes)
        }
        do throws(RingPlanError) {
            let plan = try RingPlan(
                rank: membership.value.rank, shardBounds: membership.value.shardBounds,
                count: input.total.count,
                chunkElements: configuration.chunkElements(membership.value),
                collective: membership.value.collective, wire: membership.value.wire,
                inPlace: inPlace)
            precondition(
                plan.own.count == input.gradients.count,
                "\(input.gradients.count) gradients for shards \(plan.own)")
            step = Step(
                input: input,
                fold: Fold(
                    plan: plan, run: membership.value.run,
                    generation: membership.value.generation, step: input.step,
                    window: configuration.credits),
                numbers: StepNumbers(
                    gradients: input.gradients, total: input.total, blocks: blocks!,
                    firstShard: plan.own.lowerBound,
                    rounding: rounding(membership.value, input.step)),
                processorAtStart: processorSeconds(), usesLane: lane != nil,
                digests: Array(repeating: nil, count: plan.chunks))
        } catch {
            breakUp(.plan(error))
            return
        }
        guard showVectors(input, membership.value) else { return }
        releaseHeld()
    }

    func abandon() {
        lastStep = max(lastStep, step?.input.step ?? 0, waitingStep?.step ?? 0)
        step = nil
        unread = nil
        waitingStep = nil
        // Whose gradients and total these are may do with them what he likes now.
        link?.stream?.writer.keep()
        releaseHeld()
        release(before: lastStep + 1)
    }
}
