import Checkpoint
import Coordination
import Events
import Foundation
import Messaging
import Preparation
import Settings
import Threads
import Wire

/// A coordinator: obeys its `Coordinator`, owns the control socket and the run's files.
final class CoordinatorProcess {
    enum Arrival: Sendable {
        case disk(CheckpointThread.Event)
    }

    private let setup: CoordinatorSetup
    private let report: (RunReport) -> Void
    private let requests: any RequestSource
    private let mailbox: Mailbox<Arrival>
    private let door: Door
    private var coordinator: Coordinator
    private var outboxes: Outboxes
    private var deliveries = Deliveries()
    private var batches: StepBatches
    private var doctor: DoctorDesk
    private let localWorkers: LocalWorkers?
    /// What waits for the ledger.
    private var withheld: Withheld?
    private var saidThatLinesAreNotSynchronized = false
    private var startedAt = ContinuousClock.now
    private var wasStopped = false
    private var outcome: Outcome?
    private var failure: (any Error)?

    init(
        _ setup: CoordinatorSetup, on endpoint: ControlEndpoint, mailbox: Mailbox<Arrival>,
        requests: any RequestSource, workers: LocalWorkers?,
        report: @escaping (RunReport) -> Void
    ) {
        self.setup = setup
        self.report = report
        self.mailbox = mailbox
        self.requests = requests
        localWorkers = workers
        door = Door(endpoint)
        outboxes = Outboxes(through: door)
        batches = StepBatches(setup)
        doctor = DoctorDesk(setup, at: door)
        coordinator = Coordinator(
            policy: setup.policy, parameterCount: setup.parameterCount,
            resumedFrom: setup.resumedFrom, recorded: setup.recorded, skips: setup.skips)
    }

    // MARK: the loop

    /// Coordinates until the run ends; the outcome and the last committed step.
    ///
    /// - Throws: what kept a step from being recorded.
    func run() throws -> (outcome: Outcome, step: Int) {
        startedAt = .now
        report(.listening(Listening(door.address, isPlain: door.isPlain)))
        while outcome == nil {
            try waitForSomething()
            takeRequests()
            watchWorkers()
            try takeMessages()
            try takeConnectionEvents()
            for arrival in mailbox.take() { take(arrival) }
            handle(.tick)
            watchTime()
            outboxes.flush()
            door.flushRelay()
            while let peer = outboxes.takeUnreachable() { handle(.disconnected(peer)) }
            retryWithheld()
            synchronizeLedger()
        }
        outboxes.flush()
        try bidFarewell()
        if let failure { throw failure }
        return (outcome!, coordinator.lastCommitted)
    }

    private func waitForSomething() throws(MessagingError) {
        var poller = Poller()
        door.join(&poller)
        poller.add(mailbox.wakeup)
        poller.add(descriptor: requests.descriptor, for: .readable)
        localWorkers?.join(&poller)
        let patience = withheld == nil ? coordinator.tickInterval : Milliseconds(100)
        let limit = door.isIdle ? coordinator.tickInterval : Milliseconds(5)
        _ = try poller.wait(until: .after(min(patience, limit)))
    }

    /// Lets workers hear the run's end and go first: closing a connection over which something has
    /// come that is not read makes the kernel throw away what is still on its way to them.
    private func bidFarewell() throws(MessagingError) {
        let deadline = ContinuousClock.now + .seconds(1)
        while door.isVisited, ContinuousClock.now < deadline {
            var poller = Poller()
            door.join(&poller)
            _ = try poller.wait(until: deadline)
            try door.drain()
            outboxes.flush()
        }
    }

    private func takeRequests() {
        while let request = requests.next() {
            switch request {
            case .status:
                report(.dump(StateDump(coordinator.brief, coordinator.status(at: Clock.now))))
            case .stop where !wasStopped: stop()
            case .stop: break
            }
        }
    }

    /// Saves and ends when a worker dies as often as it is started.
    private func watchWorkers() {
        guard let localWorkers else { return }
        localWorkers.reap(isFinished: outcome != nil)
        guard failure == nil, let reason = localWorkers.failure else { return }
        failure = reason
        stop()
    }

    private func watchTime() {
        guard let limit = setup.configuration.length.timeLimit, !wasStopped,
            Clock.seconds(since: startedAt) >= limit.seconds
        else { return }
        report(.timeIsUp(step: coordinator.lastCommitted))
        stop()
    }

    private func stop() {
        wasStopped = true
        if !stopWaitingForLedger() { handle(.stopRequested) }
    }

    // MARK: what comes

    private static let relayedAtOnce = 64

    private func takeMessages() throws(MessagingError) {
        var passed = 0
        // Not more frames in a row: orders and heartbeats must go on.
        while outcome == nil, passed < Self.relayedAtOnce, let visit = try door.receive() {
            switch visit {
            case .worker(let peer, let payload): take(payload, from: peer)
            case .asker(let payload, let identity): answer(payload, to: identity)
            case .applicant(let payload, let sender): admit(payload, sender)
            case .passing: passed += 1
            case .nobody: break
            }
        }
    }

    private func takeConnectionEvents() throws(MessagingError) {
        while let (turnedAway, lost) = try door.nextEvent() {
            for stranger in turnedAway { report(.turnedAway(stranger)) }
            if let lost { handle(.disconnected(lost)) }
        }
    }

    private func take(_ payload: [UInt8], from peer: PeerID) {
        if LinkMessage.isOne(payload) {
            return doctor.takeLink(payload, from: peer, coordinator.company)
        }
        do throws(WireError) {
            let message = try WorkerMessage(decoding: payload)
            if case .sliceTaken(let step, _) = message,
                let slice = deliveries.taken(step, by: peer)
            {
                outboxes.send(slice, to: peer)
            }
            // Neighbours are told this key: it must be the one that the worker speaks under.
            if case .hello(let hello) = message, hello.key != door.key(of: peer) {
                throw .unknownValue(field: "key", value: hello.key.count)
            }
            handle(.received(peer, message))
        } catch {
            handle(.nonsense(peer, error))
        }
    }

    /// Answers whoever asks how the run stands.
    private func answer(_ payload: [UInt8], to identity: [UInt8]) {
        if DoctorMessage.isOne(payload) {
            return doctor.answer(payload, identity, coordinator.company)
        }
        var json: [UInt8] = []
        do throws(WireError) {
            guard case .query = try StatusMessage(decoding: payload),
                let status = try? JSONEncoder().encode(coordinator.status(at: Clock.now))
            else { return }
            json = Array(status)
        } catch .otherProtocol {
            // Whoever speaks another version sees it from any answer.
        } catch {
            return
        }
        door.reply(StatusMessage.answer(json).encoded, to: identity)
    }

    /// Answers somebody who has shown the token.
    private func admit(_ payload: [UInt8], _ sender: RouterSocket.Sender) {
        switch door.admit(payload, sender) {
        case .nothing: break
        case .refused(let refusal):
            report(.note(.refused(host: "", processID: 0, refusal)))
        case .newToken:
            let path = setup.store?.folder.paths.token
            guard let token = door.change(toTokenAt: path, askedBy: sender) else { return }
            localWorkers?.token = token.text
            handle(.tokenChanged(token.text))
        }
    }

    private func take(_ arrival: Arrival) {
        switch arrival {
        case .disk(.sliceWritten(let step, let position)):
            handle(.sliceWritten(step: step, position: position))
        case .disk(.written(let step, let path, let digest)):
            report(.checkpoint(SavedCheckpoint(step: step, path: path, digest: digest)))
            handle(.checkpointWritten(step: step))
        case .disk(.failed(let step, let error)):
            report(.checkpointFailed(FailedCheckpoint(step: step, error)))
            handle(.checkpointFailed(step: step))
        case .disk(.notFinite(let step)): handle(.checkpointNotFinite(step: step))
        }
    }

    // MARK: what the coordinator wants done

    private func handle(_ event: CoordinatorEvent) {
        carryOut(coordinator.receive(event, at: Clock.now))
    }

    /// Why the ledger did not take a line, if so: then nothing behind it may be carried out.
    private func perform(_ action: CoordinatorAction) -> CheckpointError? {
        switch action {
        case .send(let peer, .roster(let roster)):
            outboxes.send(.roster(door.placed(roster, for: peer)), to: peer)
        case .send(let peer, let message): outboxes.send(message, to: peer)
        case .sendStep(let peer, let generation, let step, let shards):
            outboxes.send(.step(batches.order(step, shards, of: generation)), to: peer)
        case .sendEvaluation(let peer, let step, let batch, let shards):
            outboxes.send(.evaluate(batches.evaluation(step, batch: batch, shards)), to: peer)
        case .record(let step): return record(step)
        case .adopt(let line): return adopt(line)
        case .validated(let result): report(.validated(result))
        case .deliverCheckpoint(let step, let peers): deliver(step, to: peers)
        case .endDelivery(let peer): deliveries.end(peer)
        case .write(let slice, let position):
            setup.store?.checkpoints.write(slice, position: position)
        case .commitCheckpoint(let step): commitCheckpoint(step)
        case .abandonCheckpoint(let step): setup.store?.checkpoints.abandon(step: step)
        case .forget(let peer):
            deliveries.end(peer)
            outboxes.forget(peer)
            door.forget(peer)
        case .admitOnly(let peers): door.admitOnly(peers)
        case .note(let note): tell(note)
        case .phases(let spans): report(.phases(spans))
        case .finish(let outcome):
            if case .nonFinite(let step, let shards) = outcome { reportSamples(of: shards, step) }
            self.outcome = outcome
        }
        return nil
    }

    private func tell(_ note: CoordinatorNote) {
        // Of many in a row the first shows which they are.
        if case .skipped(let step, let shards) = note, coordinator.skipped(upTo: step) == 1 {
            reportSamples(of: shards, step)
        }
        if case .joined(_, _, let processID, _, _) = note { localWorkers?.joined(processID) }
        report(.note(note))
    }

    private func reportSamples(of shards: [Int], _ step: Int) {
        for samples in batches.samples(of: shards, step) { report(.nonFinite(samples)) }
    }

    /// Streams the state on disk to workers that lack it.
    private func deliver(_ step: Int, to peers: [PeerID]) {
        do {
            let loaded = try setup.loadState(step)
            for peer in peers {
                for slice in deliveries.begin(loaded, to: peer) { outboxes.send(slice, to: peer) }
            }
        } catch {
            failure = error
            outcome = .checkpointFailed(step: step)
        }
    }

    private func commitCheckpoint(_ step: Int) {
        do {
            try setup.store?.synchronize()
            setup.store?.checkpoints.commit(step: step)
        } catch {
            setup.store?.checkpoints.abandon(step: step)
            mailbox.post(.disk(.failed(step: step, error)))
        }
    }

    // MARK: the ledger

    private func record(_ step: CommittedStep) -> CheckpointError? {
        let summary = batches.summary(of: step)
        switch write(step.line) {
        case .written, .wasThere: break
        case .failed(let error): return error
        case .ended: return nil
        }
        report(.step(summary))
        localWorkers?.stepCommitted()
        return nil
    }

    private func adopt(_ line: CommittedLine) -> CheckpointError? {
        if case .failed(let error) = write(line) { error } else { nil }
    }

    private enum Writing {
        case written, wasThere
        case failed(CheckpointError)
        /// The run cannot go on: the line is not that of the same step before.
        case ended
    }

    private func write(_ line: CommittedLine) -> Writing {
        guard let store = setup.store else { return .wasThere }
        do throws(RunStore.Failure) {
            return try store.record(line, batches.batch(line.step)) ? .written : .wasThere
        } catch {
            if case .file(let reason) = error, reason.mayPass { return .failed(reason) }
            failure = error
            handle(.recordFailed(step: line.step))
            return .ended
        }
    }

    /// Lines that are not on disk yet are kept by the workers: training goes on without.
    private func synchronizeLedger() {
        do throws(CheckpointError) {
            guard let step = try setup.store?.synchronizeIfDue() else { return }
            saidThatLinesAreNotSynchronized = false
            handle(.ledgerSynchronized(step: step))
        } catch {
            if !saidThatLinesAreNotSynchronized { report(.ledgerNotDurable(error)) }
            saidThatLinesAreNotSynchronized = true
        }
    }

    // MARK: while the ledger cannot be written

    /// Carries actions out, as long as the ledger takes their lines: training pauses while it cannot
    /// be written, and goes on when it can.
    private func carryOut(_ actions: [CoordinatorAction]) {
        for (index, action) in actions.enumerated() where outcome == nil {
            if withheld != nil && !action.mayOvertake {
                withheld?.add(action)
            } else if let error = perform(action) {
                withhold(Array(actions[index...]), error)
                return
            }
        }
    }

    private func withhold(_ actions: [CoordinatorAction], _ error: CheckpointError) {
        report(.ledgerFailed(error))
        withheld = Withheld(actions.filter { !$0.mayOvertake }, error)
        // The line, the others behind it, what need not wait, and the machine, in this order.
        carryOut(actions.filter(\.mayOvertake) + coordinator.receive(.ledgerFails, at: Clock.now))
    }

    /// Tries again, once it is time to.
    private func retryWithheld() {
        guard let waiting = withheld, waiting.isDue else { return }
        withheld = nil
        for (index, action) in waiting.actions.enumerated() where outcome == nil {
            guard let error = perform(action) else { continue }
            withheld = Withheld(
                Array(waiting.actions[index...]), error, since: waiting.since)
            return
        }
        report(.ledgerRecovered(seconds: Clock.seconds(since: waiting.since)))
        handle(.ledgerWorks)
    }

    /// Ends without the line, since somebody does not want to wait for it any longer.
    private func stopWaitingForLedger() -> Bool {
        guard let waiting = withheld else { return false }
        withheld = nil
        failure = failure ?? RunStore.Failure.file(waiting.error)
        handle(.recordFailed(step: coordinator.lastCommitted))
        return true
    }
}

/// What waits for a line that the ledger's disk did not take: no line, no commit.
private struct Withheld {
    /// In the order in which they were wanted; the first is the line.
    private(set) var actions: [CoordinatorAction]
    let error: CheckpointError
    let since: ContinuousClock.Instant
    private let retryAt = ContinuousClock.now + Self.pause

    /// Time between two tries.
    private static let pause = Duration.seconds(1)

    init(
        _ actions: [CoordinatorAction], _ error: CheckpointError,
        since: ContinuousClock.Instant = .now
    ) {
        self.actions = actions
        self.error = error
        self.since = since
    }

    /// Whether it is time to try again.
    var isDue: Bool { retryAt <= .now }

    mutating func add(_ action: CoordinatorAction) { actions.append(action) }
}

extension PeerID {
    /// A worker's routing identity: the byte 1 and eight random ones.
    init?(identity: [UInt8]) {
        guard identity.count == 9, identity[0] == 1 else { return nil }
        self.init(identity.dropFirst().reduce(0) { $0 << 8 | UInt64($1) })
    }

    var identity: [UInt8] {
        [1] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}
