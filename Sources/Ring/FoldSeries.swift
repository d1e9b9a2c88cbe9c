import Parameters
import Wire

/// The folds of one generation on one worker, step after step, as a value.
///
/// It says what to do with a frame: of the step at hand, of one to come, of one gone by, of another
/// ring. It knows who may still read what lies in which total vector.
package struct FoldSeries {
    /// The run's number; frames of another are dropped.
    package let run: UInt64
    /// The ring that folds; frames of another are dropped.
    package let generation: Generation
    /// Frames of each kind that a sender may have under way.
    package let window: Int
    private let wire: WireFormat
    private let seed: UInt64
    private let room = FoldRoom()

    /// The step whose fold is under way.
    package private(set) var step: FoldStep?
    /// The last step that has ended here.
    private var lastStep: UInt64 = 0
    /// Frames of a step to come that are kept for it.
    private var early = 0

    /// The predecessor's total vector is read where it lies, so that it waits to hear of that.
    package var readsPredecessor = false
    /// The last step of which the successor may read what lies in this worker's memory.
    private var lastShown: UInt64 = 0
    /// The last step of which it reads nothing any more.
    private var lastRead: UInt64 = 0
    /// The last step of which this worker reads nothing any more, and that of which the predecessor
    /// knows.
    private var released: UInt64 = 0
    private var releaseTold: UInt64 = 0

    /// - Parameters:
    ///   - wire: the format that sums are rounded to, in which they travel.
    ///   - seed: of that rounding, alike on all workers.
    package init(
        run: UInt64, generation: Generation, window: Int, wire: WireFormat = .f32,
        seed: UInt64 = 0
    ) {
        precondition(window > 0, "a window of \(window) frames")
        self.run = run
        self.generation = generation
        self.window = window
        self.wire = wire
        self.seed = seed
    }

    // MARK: Steps

    /// Whether all that was shown of the steps so far has been read: before, none may begin.
    package var isClear: Bool { lastRead >= lastShown }

    /// Begins a step, if `isClear`. What was kept as early is to be given again.
    ///
    /// - Parameters:
    ///   - gradients: one a shard of this worker, in shard order.
    ///   - total: the vector that the sum goes into; none else writes it until the fold is complete.
    package mutating func begin(
        step number: UInt64, plan: RingPlan, gradients: [ParameterVector], total: ParameterVector,
        ways: FoldWays
    ) {
        precondition(isClear, "step \(number) begins while \(lastShown) is read")
        early = 0
        step = FoldStep(
            Fold(plan: plan, run: run, generation: generation, step: number, window: window),
            gradients: gradients, total: total,
            rounding: StochasticRounding(wire, seed: seed, step: number), ways: ways, room: room)
    }

    /// Ends all up to a step before their time. What was kept as early is to be given again.
    package mutating func abandon(upTo number: UInt64) {
        end(number)
        release(before: lastStep + 1)
    }

    private mutating func end(_ number: UInt64) {
        lastStep = max(lastStep, number, step?.fold.step ?? 0)
        step = nil
        early = 0
    }

    /// Nothing before a step is read here any more.
    package mutating func release(before step: UInt64) {
        guard step > 0 else { return }
        released = max(released, step - 1)
    }

    /// All own gradients are final from `element` on.
    package mutating func ready(downTo element: Int) { step?.ready(downTo: element) }

    // MARK: Frames

    /// Judges a frame whose header is sound, and does what there is to do about its numbers.
    ///
    /// - Parameters:
    ///   - numbers: the bytes behind the header, if there are any.
    ///   - isChecked: whether those have been held against the header's digest.
    package mutating func receive(
        _ header: FrameHeader, _ numbers: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        isChecked: Bool = false, from neighbour: Neighbour
    ) -> FoldOutcome {
        if case .released = header.body, neighbour == .successor { return released(header) }
        guard step != nil else { return receiveBetweenSteps(header, from: neighbour) }
        let outcome = step!.receive(
            FoldStep.Frame(header: header, numbers: numbers, isChecked: isChecked),
            from: neighbour)
        return noted(outcome, header)
    }

    /// Does the next thing that needs no frame; nil if there is none until more happens.
    package mutating func next() -> FoldOutcome? {
        if readsPredecessor, releaseTold < released {
            releaseTold = released
            return .reply(
                FrameHeader(run: run, generation: generation, step: released, body: .released))
        }
        guard let outcome = step?.next() else { return nil }
        return noted(outcome, nil)
    }

    private mutating func noted(_ outcome: FoldOutcome, _ header: FrameHeader?) -> FoldOutcome {
        switch outcome {
        case .send(let carry) where carry.header.place != .frame:
            lastShown = max(lastShown, carry.header.step)
        case .early: return keep(header!)
        case .complete:
            end(0)
            release(before: lastStep + 1)
        default: break
        }
        return outcome
    }

    private mutating func receiveBetweenSteps(
        _ header: FrameHeader, from neighbour: Neighbour
    ) -> FoldOutcome {
        // The last step's credits, which it needs no more.
        guard neighbour == .predecessor else { return .taken }
        guard header.run == run else { return .dropped(.otherRun) }
        guard header.generation == generation else { return .dropped(.otherGeneration) }
        guard header.step > lastStep else { return .dropped(.staleStep) }
        return keep(header)
    }

    private mutating func keep(_ header: FrameHeader) -> FoldOutcome {
        // Credits allow a neighbour no more than this before the step begins here.
        guard early < 2 * window else {
            return .broken(.violation(.predecessor, .tooFarAhead(step: header.step)))
        }
        early += 1
        return .early
    }

    private mutating func released(_ header: FrameHeader) -> FoldOutcome {
        guard header.run == run else { return .dropped(.otherRun) }
        guard header.generation == generation else { return .dropped(.otherGeneration) }
        lastRead = max(lastRead, header.step)
        return .released
    }
}
