/// The pipelined fold, event by event: workers whose processor does one thing at a time, links that
/// carry one chunk at a time, credits. It checks `PipelinedFold`'s formula where no machine can.
package struct FoldSimulation {
    private enum Work {
        case add, store
    }

    private struct Event {
        enum Kind {
            /// The worker may have something to do.
            case look
            /// Work ends.
            case done(Work, chunk: Int)
            /// The worker's outgoing link is free again.
            case linkFree
            /// A chunk is there.
            case partial(chunk: Int)
            case total(chunk: Int)
            /// The successor took one.
            case credit(Work)
        }
        let time: Double
        let order: Int
        let worker: Int
        let kind: Kind
    }

    private struct Worker {
        var busy = false
        var added = 0
        var partialsHere: Int
        var totalsHere = 0
        var stored = 0
        /// Chunks that wait for the outgoing link, in order; credits are there for them.
        var outgoing: [(work: Work, chunk: Int)] = []
        /// Totals that wait for credits.
        var known: [Int] = []
        var linkBusy = false
        var partialsOut = 0
        var totalsOut = 0
    }

    private let fold: PipelinedFold
    private let late: [Double]
    private var workers: [Worker] = []
    private var events = EventHeap<Event> { ($0.time, $0.order) < ($1.time, $1.order) }
    private var order = 0
    private var now = -Double.infinity
    /// The moment when the last work was done; a credit may be under way still.
    private var end = -Double.infinity

    private init(_ fold: PipelinedFold, late: [Double]) {
        self.fold = fold
        self.late = late
        workers = (0..<fold.workers).map { Worker(partialsHere: $0 == 0 ? fold.chunks : 0) }
    }

    /// Seconds from the end of the backward pass of a worker on time to the end of the fold.
    package static func seconds(_ fold: PipelinedFold, late: [Double] = []) -> Double {
        var simulation = FoldSimulation(fold, late: late)
        return simulation.run()
    }

    private mutating func run() -> Double {
        for worker in workers.indices {
            for ready in fold.ready { post(ready + lateness(worker), worker, .look) }
        }
        while let event = events.pop() {
            now = event.time
            handle(event)
        }
        precondition(
            workers.allSatisfy { $0.added == fold.chunks }, "the simulated fold is stuck")
        return end
    }

    private func lateness(_ worker: Int) -> Double { late.isEmpty ? 0 : late[worker] }

    private mutating func post(_ time: Double, _ worker: Int, _ kind: Event.Kind) {
        order += 1
        events.push(Event(time: time, order: order, worker: worker, kind: kind))
    }

    private mutating func handle(_ event: Event) {
        let worker = event.worker
        switch event.kind {
        case .look: break
        case .linkFree: workers[worker].linkBusy = false
        case .partial: workers[worker].partialsHere += 1
        case .total: workers[worker].totalsHere += 1
        case .credit(.add): workers[worker].partialsOut -= 1
        case .credit(.store): workers[worker].totalsOut -= 1
        case .done(let work, let chunk):
            workers[worker].busy = false
            end = now
            finish(work, chunk, worker)
        }
        send(from: worker)
        begin(worker)
    }

    private var last: Int { fold.workers - 1 }

    private mutating func finish(_ work: Work, _ chunk: Int, _ worker: Int) {
        switch work {
        case .add:
            workers[worker].added += 1
            guard last > 0 else { return }
            if worker == last {
                workers[worker].known.append(chunk)
            } else {
                workers[worker].outgoing.append((.add, chunk))
            }
            if worker > 0 { post(now + latency(worker - 1), worker - 1, .credit(.add)) }
        case .store:
            workers[worker].stored += 1
            if worker < last - 1 { workers[worker].known.append(chunk) }
            let maker = worker == 0 ? last : worker - 1
            post(now + latency(maker), maker, .credit(.store))
        }
    }

    private mutating func send(from worker: Int) {
        while !workers[worker].known.isEmpty, workers[worker].totalsOut < fold.credits {
            workers[worker].totalsOut += 1
            workers[worker].outgoing.append((.store, workers[worker].known.removeFirst()))
        }
        guard !workers[worker].linkBusy, !workers[worker].outgoing.isEmpty else { return }
        let next = workers[worker].outgoing.removeFirst()
        let takes = isSlow(worker) ? fold.link : 0
        workers[worker].linkBusy = true
        post(now + takes, worker, .linkFree)
        post(
            now + takes + latency(worker), (worker + 1) % fold.workers,
            next.work == .store ? .total(chunk: next.chunk) : .partial(chunk: next.chunk))
    }

    /// Seconds on the link that leaves a worker, in either direction.
    private func latency(_ worker: Int) -> Double {
        fold.latency + (isSlow(worker) ? fold.slowLatency : 0)
    }

    /// Slow links are spread evenly; the one that closes the ring is among them.
    private func isSlow(_ worker: Int) -> Bool {
        (worker + 1) * fold.slowLinks / fold.workers > worker * fold.slowLinks / fold.workers
    }

    private mutating func begin(_ worker: Int) {
        let state = workers[worker]
        guard !state.busy else { return }
        if worker < last, state.totalsHere > state.stored {
            workers[worker].busy = true
            return post(now + fold.store, worker, .done(.store, chunk: state.stored))
        }
        guard state.added < min(state.partialsHere, fold.chunks),
            fold.ready[state.added] + lateness(worker) <= now,
            worker == last || state.partialsOut < fold.credits
        else { return }
        // As in `Fold`, nothing is added that could not be passed on.
        if worker < last { workers[worker].partialsOut += 1 }
        workers[worker].busy = true
        post(now + fold.add, worker, .done(.add, chunk: state.added))
    }
}

/// A binary heap; the smallest comes first.
private struct EventHeap<Element> {
    private var elements: [Element] = []
    private let isBefore: (Element, Element) -> Bool

    init(_ isBefore: @escaping (Element, Element) -> Bool) { self.isBefore = isBefore }

    mutating func push(_ element: Element) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0, isBefore(elements[child], elements[(child - 1) / 2]) {
            elements.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Element? {
        guard let first = elements.first else { return nil }
        let last = elements.removeLast()
        guard !elements.isEmpty else { return first }
        elements[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < elements.count && isBefore(elements[child], elements[smallest]) {
                smallest = child
            }
            if smallest == parent { return first }
            elements.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
