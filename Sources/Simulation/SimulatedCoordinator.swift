import Coordination
import Wire

/// A coordinator process that obeys the real `Coordinator`; its disk outlives it.
final class SimulatedCoordinator: Process {
    private(set) var machine: Coordinator
    var connections: [PeerID: Connection] = [:]
    private var deliveries: [PeerID: ToyStream] = [:]
    private var lastSynchronized: Int64 = 0
    private var diskIsFreeAt: Int64 = 0
    private(set) var outcome: Outcome?
    /// Actions that wait for a line that the disk did not take; the line first.
    private var withheld: [CoordinatorAction] = []

    init(_ world: World) {
        machine = Coordinator(
            policy: world.plan.policy(epoch: 1), parameterCount: ToyModel.count, resumedFrom: nil)
        super.init(world, name: "c")
    }

    override func begin() {
        super.begin()
        let disk = world.disk
        world.audit.resumes(from: disk)
        machine = Coordinator(
            policy: world.plan.policy(epoch: UInt32(life)), parameterCount: ToyModel.count,
            resumedFrom: disk.newest?.step, recorded: disk.ledger.last)
        connections = [:]
        deliveries = [:]
        outcome = nil
        withheld = []
        diskIsFreeAt = world.now
        later(0) { [self] in tick() }
    }

    override func kill() {
        super.kill()
        for connection in connections.values.sorted(by: { $0.peer < $1.peer }) {
            connection.close()
        }
        connections = [:]
    }

    private func tick() {
        if world.now - lastSynchronized >= 1_000_000 { synchronize() }
        handle(.tick)
        guard isAlive else { return }
        later(Int(machine.tickInterval.count) * 1000) { [self] in tick() }
    }

    private func synchronize() {
        lastSynchronized = world.now
        world.disk.synchronize()
        if let line = world.disk.ledger.last {
            handle(.ledgerSynchronized(step: line.step))
        }
    }

    func take(_ bytes: [UInt8], from peer: PeerID) {
        do throws(WireError) {
            let message = try WorkerMessage(decoding: bytes)
            world.trace { "c ← \(self.world.name(of: peer)) \(message.brief)" }
            if case .sliceTaken(let step, _) = message, deliveries[peer]?.state.step == step {
                sendSlice(to: peer)
            }
            if case .voted = message { world.votes() }
            handle(.received(peer, message))
        } catch {
            handle(.nonsense(peer, error))
        }
    }

    func connectionBroke(_ peer: PeerID) {
        connections[peer] = nil
        handle(.disconnected(peer))
    }

    func changeToken() { handle(.tokenChanged("token")) }

    func stopRun() {
        guard withheld.isEmpty else {
            withheld = []
            return handle(.recordFailed(step: machine.lastCommitted))
        }
        handle(.stopRequested)
    }

    private func handle(_ event: CoordinatorEvent) {
        guard isAlive, outcome == nil else { return }
        carryOut(machine.receive(event, at: world.instant))
    }

    private func carryOut(_ actions: [CoordinatorAction]) {
        for (index, action) in actions.enumerated() where isAlive && outcome == nil {
            if !withheld.isEmpty && !action.mayOvertake {
                withheld.append(action)
            } else if perform(action) {
                // The process may die between any two of the things that it does.
                if world.dies(self) {
                    if case .record = action { world.meets(.coordinatorDiesAfterLine) }
                    return
                }
            } else {
                return withhold(Array(actions[index...]))
            }
        }
    }

    /// No line, no commit: what is behind it waits.
    private func withhold(_ actions: [CoordinatorAction]) {
        withheld = actions.filter { !$0.mayOvertake }
        world.meets(.withholdsCommit)
        retryLater()
        carryOut(actions.filter(\.mayOvertake) + machine.receive(.ledgerFails, at: world.instant))
    }

    private func retryLater() {
        later(300_000) { [self] in
            guard outcome == nil, !withheld.isEmpty else { return }
            let waiting = withheld
            withheld = []
            for (index, action) in waiting.enumerated() where isAlive && outcome == nil {
                guard !perform(action) else { continue }
                withheld = Array(waiting[index...])
                return retryLater()
            }
            handle(.ledgerWorks)
        }
    }

    private func perform(_ action: CoordinatorAction) -> Bool {
        switch action {
        case .send(let peer, let message): send(message, to: peer)
        case .sendStep(let peer, let generation, let step, let shards):
            let words = shards.map { ShardWords(shard: $0, words: []) }
            send(
                .step(
                    StepOrder(
                        generation: generation, step: step, learningRate: 0.01, labels: 1,
                        shards: words)), to: peer)
        case .sendEvaluation(let peer, let step, let batch, let shards):
            let words = shards.map { ShardWords(shard: $0, words: []) }
            send(.evaluate(EvaluationOrder(step: step, batch: batch, shards: words)), to: peer)
        case .record(let step): return record(step)
        case .adopt(let line): return adopt(line)
        case .validated: break
        case .deliverCheckpoint(let step, let peers): deliver(step, to: peers)
        case .endDelivery(let peer): deliveries[peer] = nil
        case .write(let slice, let position): write(slice, position)
        case .commitCheckpoint(let step): commitCheckpoint(step)
        case .abandonCheckpoint(let step): onDisk { $0.world.disk.abandon(step) }
        case .forget(let peer): deliveries[peer] = nil
        case .admitOnly(let peers):
            for (peer, connection) in connections.sorted(by: { $0.key < $1.key })
            where !peers.contains(peer) { connection.close() }
        case .note(let note):
            world.trace { "c notes \(note)" }
            world.notes.append((world.now, note))
            if case .stateDiffers = note { world.meets(.findsFlippedBit) }
        case .phases(let spans):
            for span in spans { world.audit.sees(span, at: world.instant.seconds) }
        case .finish(let outcome): finish(outcome)
        }
        return true
    }

    private func send(_ message: CoordinatorMessage, to peer: PeerID) {
        if case .commit(let commit) = message {
            world.audit.commits(commit, in: world.disk)
            world.commits()
        }
        world.trace { "c → \(self.world.name(of: peer)) \(message.brief)" }
        connections[peer]?.sendDown(message.encoded)
    }

    private func finish(_ outcome: Outcome) {
        world.trace { "c ends: \(outcome)" }
        self.outcome = outcome
        // Its last words are on their way when it exits.
        world.agenda.add(at: world.now + 20_000) { [self] in world.ended(self, outcome) }
    }

    // MARK: files

    private func record(_ step: CommittedStep) -> Bool {
        let line = step.line
        world.audit.records(line, in: world.disk)
        if step.step <= world.disk.ledger.last?.step ?? 0 { return true }
        if world.plan.forgetsLines && world.random.chance(2) { return true }
        return append(line)
    }

    private func adopt(_ line: CommittedLine) -> Bool {
        world.audit.records(line, in: world.disk)
        world.meets(.adoptsLines)
        return append(line)
    }

    private func append(_ line: CommittedLine) -> Bool { world.disk.append(line) }

    private func onDisk(_ action: @escaping (SimulatedCoordinator) -> Void) {
        diskIsFreeAt = max(diskIsFreeAt, world.now) + Int64(world.random.number(100...5_000))
        later(Int(diskIsFreeAt - world.now)) { [self] in action(self) }
    }

    private func write(_ slice: StateSlice, _ position: Int) {
        onDisk { process in
            process.handle(
                process.world.disk.write(slice)
                    ? .sliceWritten(step: slice.step, position: position)
                    : .checkpointFailed(step: slice.step))
        }
    }

    private func commitCheckpoint(_ step: Int) {
        if !world.plan.forgetsToSynchronize { synchronize() }
        onDisk { process in
            guard let isWhole = process.world.disk.commit(step) else { return }
            process.world.trace { "c disk: checkpoint \(step) \(isWhole ? "whole" : "failed")" }
            process.handle(
                isWhole ? .checkpointWritten(step: step) : .checkpointFailed(step: step))
        }
    }

    private func deliver(_ step: Int, to peers: [PeerID]) {
        guard let state = world.disk.checkpoints.first(where: { $0.step == step }) else {
            return world.fail("checkpoint \(step) is to be delivered, but is not there")
        }
        for peer in peers {
            deliveries[peer] = ToyStream(state)
            for _ in 0..<StateSlice.window { sendSlice(to: peer) }
        }
    }

    private func sendSlice(to peer: PeerID) {
        guard let slice = deliveries[peer]?.take() else {
            deliveries[peer] = nil
            return
        }
        send(.slice(slice), to: peer)
    }
}
