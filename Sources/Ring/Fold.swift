import Wire

/// One step's fold on one worker, as a value: it says what to do with which chunk and keeps count.
///
/// It owns no socket, clock, thread or number. Feed it `localReady` and `receive`, obey the action
/// in what `receive` returns, then every action of `next()` until there is none.
///
/// A partial that cannot go on yet (own gradients late, successor's credit used up) is parked in
/// the total vector, in the place where its total will land: so both kinds of frame are always
/// accepted, credits always flow back, and no cycle of workers can wait for itself. Credits bound
/// what lies in sockets. A fold in place has nothing to park but the fact.
package struct Fold: Sendable {
    /// The cut of the vector into segments and chunks, alike on all workers of the ring.
    package let plan: RingPlan
    /// The run's number; frames of another are dropped.
    package let run: UInt64
    /// The ring that folds; frames of another are dropped.
    package let generation: Generation
    /// The step, counted from 1; frames of later ones are early.
    package let step: UInt64
    /// Frames of each kind that a sender may have under way.
    package let window: Int

    /// The progress of one segment, in chunks counted from the segment's first.
    struct Progress: Sendable {
        let position: Int
        let first: Int
        let count: Int
        /// Partials that came in.
        var received = 0
        /// Chunks that own gradients were added to.
        var added = 0
        /// Chunks whose total is known.
        var known = 0
        /// Totals handed on.
        var forwarded = 0
    }

    var segments: [Progress]
    /// Own gradients are final from this element on.
    private(set) package var watermark: Int
    private var completed = false
    /// The segment that is looked at first.
    private var turn = 0

    // Frames sent in this step and taken by the successor, by kind.
    /// Partials that were given to the successor.
    private(set) package var partialsSent = 0
    /// Totals that were given to the successor.
    private(set) package var totalsSent = 0
    private var partialsTaken = 0
    private var totalsTaken = 0
    // Frames taken from the predecessor, and how many of them it knows to be.
    /// Partials taken from the predecessor.
    private(set) package var partialsReceived = 0
    /// Totals taken from the predecessor.
    private(set) package var totalsReceived = 0
    private var partialsGranted = 0
    private var totalsGranted = 0

    /// Begins a step's fold, with no own gradient final yet; `window` is at least 1.
    package init(
        plan: RingPlan, run: UInt64, generation: Generation, step: UInt64, window: Int
    ) {
        precondition(window > 0, "a window of \(window) frames")
        self.plan = plan
        self.run = run
        self.generation = generation
        self.step = step
        self.window = window
        watermark = plan.count
        segments = (0..<plan.segments).map { segment in
            let first = plan.chunkBounds[segment]
            return Progress(
                position: plan.position(inSegment: segment), first: first,
                count: plan.chunkBounds[segment + 1] - first)
        }
    }

    /// Position of the worker that completes a sum.
    var last: Int { plan.workers - 1 }

    private var mayPassOn: Bool { partialsSent - partialsTaken < window }
    private var mayForward: Bool { totalsSent - totalsTaken < window }

    // MARK: What happens

    /// All own gradients are final from `element` on. Never rises again.
    package mutating func localReady(downTo element: Int) {
        precondition(element >= 0 && element <= plan.count, "element \(element) of \(plan.count)")
        watermark = min(watermark, element)
    }

    /// The successor has taken so many of this step's frames.
    mutating func taken(partials: Int, totals: Int) -> Reception {
        guard partials <= partialsSent else {
            return .broken(.credit(partials, sent: partialsSent))
        }
        guard totals <= totalsSent else { return .broken(.credit(totals, sent: totalsSent)) }
        guard partials > partialsTaken || totals > totalsTaken else { return .drop(.duplicate) }
        partialsTaken = max(partials, partialsTaken)
        totalsTaken = max(totals, totalsTaken)
        return .noted
    }

    /// A partial of the right chunk and interval came in.
    mutating func take(partial chunk: Int, in segment: Int) -> FoldAction {
        partialsReceived += 1
        let waiting = segments[segment].received > segments[segment].added
        segments[segment].received += 1
        guard !waiting, let action = add(in: segment, base: .frame) else {
            return .park(chunk: chunk)
        }
        return action
    }

    /// A total of the right chunk came in.
    mutating func take(total chunk: Int, in segment: Int) -> FoldAction {
        totalsReceived += 1
        let waiting = segments[segment].known > segments[segment].forwarded
        segments[segment].known += 1
        guard forwards(segment), !waiting, mayForward else {
            return .store(chunk: chunk, forward: false)
        }
        segments[segment].forwarded += 1
        totalsSent += 1
        return .store(chunk: chunk, forward: true)
    }

    // MARK: What to do

    /// The next thing to do without a frame at hand; nil when there is nothing until more happens.
    package mutating func next() -> FoldAction? {
        if let action = grant() ?? forward() ?? add() { return action }
        guard !completed, segments.indices.allSatisfy(isDone) else { return nil }
        completed = true
        return .complete
    }

    /// Whether `next` has said `complete`.
    package var isComplete: Bool { completed }

    private mutating func grant() -> FoldAction? {
        let share = max(1, window / 2)
        guard
            partialsReceived - partialsGranted >= share || totalsReceived - totalsGranted >= share
        else { return nil }
        partialsGranted = partialsReceived
        totalsGranted = totalsReceived
        return .grant(partials: partialsReceived, totals: totalsReceived)
    }

    private mutating func forward() -> FoldAction? {
        guard mayForward else { return nil }
        for segment in segments.indices where forwards(segment) {
            let progress = segments[segment]
            guard progress.forwarded < progress.known else { continue }
            segments[segment].forwarded += 1
            totalsSent += 1
            return .forward(chunk: progress.first + progress.forwarded)
        }
        return nil
    }

    private mutating func add() -> FoldAction? {
        for offset in segments.indices {
            let segment = (turn + offset) % segments.count
            let progress = segments[segment]
            let begins = progress.position == 0
            guard progress.added < (begins ? progress.count : progress.received) else { continue }
            guard let action = add(in: segment, base: begins ? .nothing : .parked) else { continue }
            // What is read where it lies must not wait for one segment's end.
            if plan.isInPlace { turn = (segment + 1) % segments.count }
            return action
        }
        return nil
    }

    /// Adds to the segment's next chunk, if own gradients and credit allow it.
    private mutating func add(in segment: Int, base: FoldAction.Base) -> FoldAction? {
        let progress = segments[segment]
        let chunk = progress.first + progress.added
        guard plan.elements(ofChunk: chunk).lowerBound >= watermark else { return nil }
        if progress.position < last {
            guard mayPassOn else { return nil }
            partialsSent += 1
            segments[segment].added += 1
            return .passOn(chunk: chunk, base: base)
        }
        let forward = forwards(segment) && progress.known == progress.forwarded && mayForward
        segments[segment].added += 1
        segments[segment].known += 1
        if forward {
            segments[segment].forwarded += 1
            totalsSent += 1
        }
        return .finish(chunk: chunk, base: base, forward: forward)
    }

    /// Whether this worker hands a segment's totals on: the one before the last adder does not.
    func forwards(_ segment: Int) -> Bool {
        plan.workers > 1 && segments[segment].position != last - 1
    }

    private func isDone(_ segment: Int) -> Bool {
        let progress = segments[segment]
        return progress.known == progress.count
            && (!forwards(segment) || progress.forwarded == progress.count)
    }

    // MARK: What is reported

    /// Chunks whose total is known.
    package var chunksKnown: Int { segments.reduce(0) { $0 + $1.known } }

    /// The reason that this worker has no next action.
    package var waitsFor: FoldWait {
        if segments.indices.allSatisfy(isDone) { return .nothing }
        var local = false
        for progress in segments where progress.added < progress.count {
            let chunk = progress.first + progress.added
            guard progress.position == 0 || progress.received > progress.added else { continue }
            if plan.elements(ofChunk: chunk).lowerBound < watermark {
                local = true
            } else if progress.position < last && !mayPassOn {
                return .successor
            }
        }
        for segment in segments.indices where forwards(segment) && !mayForward {
            if segments[segment].forwarded < segments[segment].known { return .successor }
        }
        return local ? .local : .predecessor
    }
}
