import Checkpoint
import Coordination
import Events
import Foundation
import Messaging
import Parameters
import Settings
import Text
import Threads
import Training
import Wire

/// What a coordinator process is given; everything else it makes itself.
package struct CoordinatorSetup {
    var policy: CoordinatorPolicy
    var configuration: RunConfiguration
    var batches: any BatchSource
    /// Elements of θ.
    var parameterCount: Int
    /// Names of the model's layers.
    var layers: [String] = []
    var store: RunStore?
    /// The state that `deliverCheckpoint` streams: that of the newest checkpoint, or a warm start.
    var loadState: (_ step: Int) throws -> LoadedState
    /// The step and the state to go on from.
    var resumedFrom: Int?
    /// The ledger's last line.
    var recorded: CommittedLine? = nil
    /// Of the steps in the ledger.
    var skips = SkippedSteps()
}

extension CoordinatorSetup {
    /// A run that begins with initial values and keeps nothing.
    ///
    /// - Parameter lost: what the run ends with where no worker has the state any more.
    package init(
        policy: CoordinatorPolicy, configuration: RunConfiguration, batches: any BatchSource,
        parameterCount: Int, lost: @escaping (_ step: Int) -> any Error
    ) {
        self.init(
            policy: policy, configuration: configuration, batches: batches,
            parameterCount: parameterCount, store: nil, loadState: { throw lost($0) },
            resumedFrom: nil)
    }
}

/// θ, m and v as they are on disk.
struct LoadedState {
    var step: Int
    var adamCount: Int
    var sections: [ParameterVector]
}

/// A coordinator: obeys its `Coordinator`, owns the control socket and the run's files.
package final class CoordinatorProcess {
    enum Arrival: Sendable {
        case disk(CheckpointThread.Event)
    }

    let setup: CoordinatorSetup
    let report: (RunReport) -> Void
    let endpoint: ControlEndpoint
    private let requests: any RequestSource
    let mailbox: Mailbox<Arrival>
    var coordinator: Coordinator
    var connections: [Int32: PeerID] = [:]
    /// Peers that could not be sent to: their loss is told when the event at hand is done.
    private var unreachable: Set<PeerID> = []
    let relay: Relay
    /// The frame at hand that is to be passed on.
    let relayed = Message()
    var outboxes: [PeerID: [[UInt8]]] = [:]
    var deliveries: [PeerID: StateStream] = [:]
    var currentBatch: Batch?
    var outcome: Outcome?
    var failure: (any Error)?
    let localWorkers: LocalWorkers?
    var strangers = TurnedAway()
    /// Links that are tried for `doctor`.
    var trials = LinkTrials()
    /// Who waits to be told that all workers have the new token.
    var askedForToken: RouterSocket.Sender?
    var startedAt = ContinuousClock.now
    var wasStopped = false
    /// Something waits for the ledger.
    var withheld: Withheld?
    private var saidThatLinesAreNotSynchronized = false

    init(
        _ setup: CoordinatorSetup, on endpoint: ControlEndpoint, mailbox: Mailbox<Arrival>,
        requests: any RequestSource, workers: LocalWorkers?,
        report: @escaping (RunReport) -> Void
    ) {
        self.setup = setup
        self.endpoint = endpoint
        relay = Relay { [endpoint] (sending) throws(MessagingError) in
            try endpoint.socket.send(
                to: sending.receiver, address: sending.from, sending.frame)
        }
        self.report = report
        self.mailbox = mailbox
        self.requests = requests
        localWorkers = workers
        coordinator = Coordinator(
            policy: setup.policy, parameterCount: setup.parameterCount,
            resumedFrom: setup.resumedFrom, recorded: setup.recorded, skips: setup.skips)
    }

    // MARK: the loop

    /// Coordinates until the run ends; throws what kept a step from being recorded.
    func run() throws -> Outcome {
        startedAt = .now
        report(.listening(Listening(endpoint.address, isPlain: endpoint.admissions == nil)))
        while outcome == nil {
            try waitForSomething()
            takeRequests()
            watchWorkers()
            try takeMessages()
            try takeConnectionEvents()
            for arrival in mailbox.take() { take(arrival) }
            handle(.tick)
            watchTime()
            flushOutboxes()
            relay.flush()
            takeUnreachable()
            retryWithheld()
            synchronizeLedger()
        }
        flushOutboxes()
        try bidFarewell()
        if let failure { throw failure }
        return outcome!
    }

    /// Lets workers hear the run's end and go first: closing a connection over which something has
    /// come that is not read makes the kernel throw away what is still on its way to them.
    private func bidFarewell() throws(MessagingError) {
        let deadline = ContinuousClock.now + .seconds(1)
        while !connections.isEmpty, ContinuousClock.now < deadline {
            var poller = Poller()
            poller.add(endpoint.socket, for: .readable)
            poller.add(endpoint.monitor)
            _ = try poller.wait(until: deadline)
            do throws(MessagingError) {
                while try endpoint.socket.receive() != nil {}
            } catch .tooManyBytes, .tooManyFrames, .tooFewFrames {
                continue
            }
            while let event = try endpoint.monitor.receive() {
                if event.kind == .disconnected { connections[event.descriptor] = nil }
            }
            flushOutboxes()
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

    private func waitForSomething() throws(MessagingError) {
        var poller = Poller()
        poller.add(endpoint.socket, for: .readable)
        poller.add(endpoint.monitor)
        poller.add(mailbox.wakeup)
        poller.add(descriptor: requests.descriptor, for: .readable)
        localWorkers?.join(&poller)
        let patience = withheld == nil ? coordinator.tickInterval : Milliseconds(100)
        let limit = relay.isIdle ? coordinator.tickInterval : Milliseconds(5)
        _ = try poller.wait(until: .after(min(patience, limit)))
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

    private func stop() {
        wasStopped = true
        if !stopWaitingForLedger() { handle(.stopRequested) }
    }

    private func takeUnreachable() {
        while let peer = unreachable.min() {
            unreachable.remove(peer)
            handle(.disconnected(peer))
        }
    }

    private func watchTime() {
        guard let limit = setup.configuration.length.timeLimit, !wasStopped,
            Clock.seconds(since: startedAt) >= limit.seconds
        else { return }
        report(.timeIsUp(step: coordinator.lastCommitted))
        stop()
    }

    func handle(_ event: CoordinatorEvent) {
        carryOut(coordinator.receive(event, at: Clock.now))
    }

    // MARK: messages

    func take(_ payload: [UInt8], from peer: PeerID) {
        if LinkMessage.isOne(payload) { return takeLink(payload, from: peer) }
        do throws(WireError) {
            let message = try WorkerMessage(decoding: payload)
            if case .sliceTaken(let step, _) = message { taken(step, by: peer) }
            // Neighbours are told this key: it must be the one that the worker speaks under.
            if case .hello(let hello) = message,
                hello.key != endpoint.admissions?.key(of: peer) ?? []
            {
                throw .unknownValue(field: "key", value: hello.key.count)
            }
            handle(.received(peer, message))
        } catch {
            handle(.nonsense(peer, error))
        }
    }

    func send(_ message: CoordinatorMessage, to peer: PeerID) {
        outboxes[peer, default: []].append(message.encoded)
        flush(peer)
        // Windows bound what is under way: who lets more than that lie does not read at all.
        guard outboxes[peer].map({ $0.count > Self.outboxLimit }) ?? false else { return }
        outboxes[peer] = nil
        unreachable.insert(peer)
    }

    /// Messages that may wait for a peer whose queue in the socket is full.
    private static let outboxLimit = 512

    private func flushOutboxes() {
        for peer in outboxes.keys.sorted() { flush(peer) }
    }

    private func flush(_ peer: PeerID) {
        while let first = outboxes[peer]?.first {
            do throws(MessagingError) {
                try endpoint.socket.send(to: peer.identity, first)
                outboxes[peer]?.removeFirst()
            } catch .unknownPeer {
                outboxes[peer] = nil
                unreachable.insert(peer)
                return
            } catch {
                return
            }
        }
        outboxes[peer] = nil
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
