import Parameters
import Wire

/// The coordinator of a run as a value: events in, actions out; no socket, clock or thread.
///
/// A step is a transaction: order → fold → equal votes of all members → ledger line → commit.
/// Whoever is lost before the commit leaves no trace: the rest form a ring of the next generation
/// and fold the same step again.
///
/// What it remembers is cut into values that keep their state to themselves; it leads from one stage
/// to the next.
package struct Coordinator: Sendable {
    private let policy: CoordinatorPolicy
    private var stage = Stage.waiting
    private var peers = Peers()
    /// The ring at hand, in the stages that have one.
    private var members: Members?
    private var history: History
    private var entrance: Entrance
    private var formation: Formation
    private var ballot = Ballot()
    private var trial: Trial
    private var snapshots: Snapshots
    private var teaching: Teaching
    private var rotation: Rotation?
    private var progress = Progress()
    private var stragglers = Stragglers()
    private var timeline = Timeline()
    private var outbox = Outbox()
    private var hasStarted = false
    private var isStopping = false
    /// The ledger cannot be written: what is ordered is not heard, so nobody is late.
    private var isPaused = false
    /// When the ring is to be formed anew, since a link is broken.
    private var regenerateAt: Instant?

    /// A run that starts from its seed, or goes on from a checkpoint and from the ledger's last
    /// line.
    ///
    /// `parameterCount`: elements of θ; `skips`: of the ledger. Workers that still hold a state
    /// between the checkpoint and the ledger's end are gone on from without transfer.
    package init(
        policy: CoordinatorPolicy, parameterCount: Int, resumedFrom checkpoint: Int?,
        recorded: CommittedLine? = nil, skips: SkippedSteps = .init()
    ) {
        precondition(
            policy.gathering.workers >= 1 && policy.gathering.workers <= policy.shards)
        self.policy = policy
        history = History(resumedFrom: checkpoint, recorded: recorded, skips: skips)
        entrance = Entrance(policy)
        formation = Formation(policy, parameterCount: parameterCount)
        trial = Trial(policy.validation, from: history.origin.step)
        snapshots = Snapshots(policy, parameterCount: parameterCount)
        teaching = Teaching(
            parameterCount: parameterCount, pieceElements: policy.pieceElements)
    }

    /// Takes one event at the moment `now` and says what is to be done about it.
    package mutating func receive(
        _ event: CoordinatorEvent, at now: Instant
    ) -> [CoordinatorAction] {
        if stage == .finished {
            // Whoever does not wait for the ledger any longer drops what is behind the line: the end too.
            guard case .recordFailed = event else { return [] }
        }
        switch event {
        case .received(let peer, let message): received(message, from: peer, at: now)
        case .nonsense(let peer, let error): nonsense(error, from: peer, at: now)
        case .disconnected(let peer): lost(peer, .connectionBroke, at: now)
        case .tick: tick(at: now)
        case .sliceWritten(let step, let position): stored(step, position, at: now)
        case .ledgerSynchronized(let step): history.synchronized(step: step)
        case .checkpointWritten(let step): checkpointWritten(step, at: now)
        case .checkpointFailed(let step): checkpointFailed(step, at: now)
        case .checkpointNotFinite(let step):
            end(.parametersNotFinite(step: step), "the parameters of step \(step) are not finite")
        case .ledgerFails: isPaused = true
        case .ledgerWorks:
            isPaused = false
            excuse(at: now)
        case .recordFailed(let step): end(.recordFailed(step: step), "the ledger is not writable")
        case .stopRequested: stopRequested(at: now)
        case .tokenChanged(let token): tokenChanged(token, at: now)
        }
        let spans = timeline.note(
            stage, committed: history.committed, members?.generation, at: now)
        if !spans.isEmpty { outbox.tell(spans) }
        return outbox.empty()
    }

    private mutating func received(
        _ message: WorkerMessage, from peer: PeerID, at now: Instant
    ) {
        if case .hello(let hello) = message { return greeted(hello, by: peer, at: now) }
        guard peers[peer] != nil else {
            // It was given up while it was stopped or cut off: it must know.
            if case .leaving = message { return }
            return outbox.send(.sayHello, to: peer)
        }
        peers[peer]?.presence.heard(at: now)
        switch message {
        case .hello: break
        case .captured(let held): captured(held, from: peer, at: now)
        case .slice(let slice):
            if !snapshots.store(slice, from: peer, at: now, &outbox) {
                lost(peer, .spokeNonsense, at: now)
            }
        // The shell streams checkpoints by itself.
        case .sliceTaken: progress.moved()
        case .piece(let piece): self.piece(piece, from: peer, at: now)
        case .pieceTaken: pieceTaken(by: peer, at: now)
        case .prepared(let holdings): prepared(peer, holdings, at: now)
        case .stateReady(let held, let number): stateReady(peer, held, number, at: now)
        case .updated(let update): updated(peer, update, at: now)
        case .formed(let generation): formed(peer, generation, at: now)
        case .voted(let vote): voted(vote, by: peer, at: now)
        case .evaluated(let evaluation): evaluated(evaluation, by: peer, at: now)
        case .heartbeat(let heartbeat): peers[peer]?.presence.tells(heartbeat)
        case .ringBroken(let generation, let fault): ringBroken(generation, fault, peer, at: now)
        case .leaving(let reason): lost(peer, .left(reason), at: now)
        case .tokenTaken: if rotation?.taken(by: peer) == true { endRotation() }
        }
    }

    private mutating func nonsense(_ error: WireError, from id: PeerID, at now: Instant) {
        guard let known = peers[id] else {
            if case .otherProtocol(let theirs, let ours) = error {
                let refusal = Refusal.version(
                    theirs: "protocol \(theirs)", ours: "protocol \(ours)")
                outbox.send(.refused(refusal), to: id)
            }
            return
        }
        outbox.note(.nonsense(name: known.name, error))
        lost(id, .spokeNonsense, at: now)
    }

    /// Tells everybody and stops listening.
    private mutating func end(_ outcome: Outcome, _ reason: String) {
        for peer in peers.inOrder { outbox.send(.finish(reason: reason), to: peer.id) }
        outbox.add(.finish(outcome))
        stage = .finished
    }

    // MARK: who comes and who goes

    private mutating func greeted(_ hello: Hello, by id: PeerID, at now: Instant) {
        guard peers[id] == nil else { return }
        if let refusal = entrance.refusal(of: hello, beside: peers) {
            outbox.send(.refused(refusal), to: id)
            return outbox.note(
                .refused(host: hello.address.hostName, processID: hello.processID, refusal))
        }
        // Its old connection may look alive for a while yet.
        for old in peers.inOrder where old.hello.instance == hello.instance {
            lost(old.id, .reconnected, at: now)
        }
        guard stage != .finished else { return }
        let peer = peers.welcome(id, hello, at: now)
        let welcome = Welcome(
            run: policy.run.number, epoch: policy.run.epoch, name: peer.name,
            peerTimeoutMilliseconds: Int(policy.deadlines.peerTimeout.count),
            configuration: policy.run.configuration)
        outbox.send(.welcome(welcome), to: id)
        giveToken(to: id)
        let missing = max(0, policy.gathering.workers - peers.count)
        outbox.note(
            .joined(
                name: peer.name, host: hello.address.hostName, processID: hello.processID,
                threads: hello.threads, waitingFor: hasStarted ? 0 : missing))
        if peer.isBehindRelay {
            outbox.note(.relayed(name: peer.name, host: hello.address.hostName))
        }
    }

    /// A worker says what it has in memory: when it has built the model, and when an order did not
    /// fit that.
    private mutating func prepared(_ id: PeerID, _ holdings: Holdings, at now: Instant) {
        let isNew = peers[id]?.isPrepared == false
        peers[id]?.isPrepared = true
        peers[id]?.state.tells(holdings.state)
        peers[id]?.state.endDelivery()
        teaching.end(id)
        adopt(holdings.lines, of: id)
        repeatCommit(to: id, holdings.folded)
        entrance.prepared(at: now)
        switch stage {
        case .waiting: startIfEnough(at: now)
        case .restoring:
            let usable = history.usable(peers[id]?.state.holds)
            let isAhead = usable.map { $0 > history.committed } ?? false
            if isAhead || !isNew { assemble(at: now) }
        case .forming, .stepping, .evaluating:
            if members?.contains(id) == true { assemble(at: now) } else { enrol(at: now) }
        case .saving: save(at: now)
        case .finished: break
        }
    }

    /// Takes committed steps back into the ledger that it has lost: its host was without power.
    /// Those of another run are none of its history.
    private mutating func adopt(_ lines: [CommittedLine], of id: PeerID) {
        guard let peer = peers[id], peer.hello.run == policy.run.number else { return }
        let adopted = history.adopt(lines, before: policy.run.epoch)
        for line in adopted { outbox.add(.adopt(line)) }
        guard let first = adopted.first, let last = adopted.last else { return }
        outbox.note(.adopted(name: peer.name, from: first.step, to: last.step))
    }

    /// Says commit again to a worker that was cut off between its vote and the commit.
    private mutating func repeatCommit(to id: PeerID, _ folded: FoldedStep?) {
        guard let peer = peers[id], let folded,
            let line = history.line(for: folded, on: peer.state.holds)
        else { return }
        outbox.note(.commitRepeated(name: peer.name, step: line.step))
        outbox.send(.commit(Commit(line, durable: history.durable)), to: id)
        peers[id]?.state.follow(step: line.step)
    }

    private mutating func startIfEnough(at now: Instant) {
        guard stage == .waiting else { return }
        // Steps have been committed, by this coordinator or one before.
        let isResumed = hasStarted || history.recordedStep > 0
        let ready = peers.count(where: \.isPrepared)
        if entrance.isEnough(ready, hasStarted: hasStarted, isResumed: isResumed, at: now) {
            assemble(at: now)
        }
    }

    private mutating func lost(_ id: PeerID, _ reason: LossReason, at now: Instant) {
        guard stage != .finished, let peer = peers[id] else { return }
        outbox.add(.forget(id))
        if case .stuck = reason { formation.distrust(peer, at: now) }
        outbox.note(
            .lost(
                name: peer.name, host: peer.hello.address.hostName, reason: reason,
                step: history.lastCommitted, phase: phase(of: peer)))
        peers[id] = nil
        teaching.end(id)
        snapshots.leave(id, peers, &outbox)
        teaching.leave(id)
        teachAll(at: now)
        switch stage {
        case .waiting: if !peers.contains(where: \.isPrepared) { entrance.emptied() }
        case .finished: break
        case .saving: save(at: now)
        case .restoring: assemble(at: now)
        case .forming, .stepping, .evaluating:
            if members?.contains(id) == true { assemble(at: now) }
        }
    }

    private mutating func ringBroken(
        _ generation: Generation, _ fault: RingFault, _ id: PeerID, at now: Instant
    ) {
        guard let members, generation == members.generation, let peer = peers[id] else { return }
        let neighbours = members.neighbours(of: id, fault.sides).compactMap { peers[$0] }
        if fault.kind == .absent { formation.missed(peer, neighbours, at: now) }
        if fault.kind == .apart { formation.keepApart(peers.instances(members.peers)) }
        guard regenerateAt == nil else { return }
        outbox.note(.ringBroken(peer.named, fault, neighbours.map(\.named)))
        regenerateAt = now + formation.pause
    }

    // MARK: another token

    /// Gives everybody the new token, then lets nobody else in.
    private mutating func tokenChanged(_ token: String, at now: Instant) {
        rotation = Rotation(token: token, deadline: now + policy.deadlines.peerTimeout)
        for peer in peers.inOrder { giveToken(to: peer.id) }
        endRotation()
    }

    /// Also to those who join in between.
    private mutating func giveToken(to id: PeerID) {
        if let order = rotation?.give(to: id) { outbox.send(order, to: id) }
    }

    private mutating func endRotation() {
        guard let rotation, rotation.isDone else { return }
        self.rotation = nil
        outbox.add(.admitOnly(peers.inOrder.map(\.id)))
        outbox.note(.tokenChanged(workers: rotation.given))
    }

    // MARK: rings

    /// Draws the next arrangement from those who hold the state; where nobody does, all take it
    /// from the origin first.
    private mutating func assemble(at now: Instant) {
        dissolve()
        if isStopping { return save(at: now) }
        guard peers.contains(where: \.isPrepared) else { return waitForAnybody(at: now) }
        goToBestStep()
        let chosen = formation.candidates(peers, committed: history.committed, at: now)
        let holders = chosen.filter { $0.state.holds == history.committed }
        holders.isEmpty ? restore(chosen, at: now) : form(holders, at: now)
    }

    /// Forgets the ring and what its members were doing.
    private mutating func dissolve() {
        for id in members?.peers ?? [] {
            if let last = peers[id].map({ phase(of: $0) }) { peers[id]?.presence.left(in: last) }
        }
        members = nil
        ballot.clear()
        trial.clear()
        regenerateAt = nil
        progress.begin()
    }

    private mutating func goToBestStep() {
        let before = history.committed
        let held = peers.inOrder.filter(\.isPrepared).compactMap { history.usable($0.state.holds) }
        guard history.goOn(fromBestOf: held) else { return }
        outbox.note(.goingBack(from: before, to: history.committed))
        teaching.endAll()
    }

    /// Keeps its place: those who were cut off may come back with the state.
    private mutating func waitForAnybody(at now: Instant) {
        if hasStarted && stage != .waiting { outbox.note(.allGone(step: history.committed)) }
        entrance.emptied()
        stage = .waiting
    }

    /// Gives the origin's state to those who are to go on from it; what is under way goes on.
    private mutating func restore(_ lacking: [Peer], at now: Instant) {
        let origin = history.origin
        stage = .restoring(Set(lacking.map(\.id)))
        if hasStarted {
            outbox.note(.restoring(names: lacking.map(\.name), step: history.committed))
        }
        let fresh = lacking.filter { $0.state.delivery != origin }.map(\.id)
        guard !fresh.isEmpty else { return }
        for id in fresh {
            endDelivery(to: id)
            teaching.end(id)
            peers[id]?.state.forget()
            peers[id]?.state.deliver(from: origin)
            beginState(of: id, at: now)
        }
        switch origin {
        case .seed: for id in fresh { outbox.send(.initialise, to: id) }
        case .checkpoint(let step): outbox.add(.deliverCheckpoint(step: step, to: fresh))
        }
    }

    private mutating func endDelivery(to id: PeerID) {
        if case .checkpoint = peers[id]?.state.delivery { outbox.add(.endDelivery(id)) }
        peers[id]?.state.endDelivery()
    }

    /// Announces that another state than the one in memory, if there is one, will be sent.
    private mutating func beginState(of id: PeerID, at now: Instant) {
        guard let number = peers[id]?.state.begin(at: now) else { return }
        outbox.send(.newState(number: number), to: id)
    }

    private mutating func form(_ holders: [Peer], at now: Instant) {
        let drawn = formation.draw(holders, committed: history.committed, at: now, &outbox)
        for id in drawn.peers { teaching.end(id) }
        members = drawn
        stage = .forming(Set(drawn.peers))
        enrol(at: now)
        teachAll(at: now)
    }

    private mutating func formed(_ id: PeerID, _ generation: Generation, at now: Instant) {
        guard case .forming(var pending) = stage, generation == members?.generation,
            pending.remove(id) != nil
        else { return }
        progress.moved()
        stage = .forming(pending)
        guard pending.isEmpty else { return }
        hasStarted = true
        boundary(at: now)
    }

    // MARK: states

    /// A state that came from elsewhere is whole.
    private mutating func stateReady(
        _ id: PeerID, _ held: HeldState, _ number: UInt32, at now: Instant
    ) {
        // One of another number has been replaced since. A member's state moves by commits alone.
        guard peers[id]?.state.number == number, members?.contains(id) != true else { return }
        if teaching.has(id) { return learned(id, held, at: now) }
        guard peers[id]?.state.delivery?.step == held.step else { return }
        prove(id, held, at: now)
        peers[id]?.state.endDelivery()
        if held.step == history.committed { restored(id, at: now) }
    }

    /// A worker's state is the run's: it may keep it, whatever becomes of this coordinator.
    private mutating func prove(_ id: PeerID, _ held: HeldState, at now: Instant) {
        if let peer = peers[id], let since = peers[id]?.state.end() {
            timeline.add(
                PhaseSpan(
                    .state, of: peer.name, step: history.committed, members?.generation,
                    from: since, to: now))
        }
        peers[id]?.state.tells(held)
        outbox.send(.proven(step: held.step), to: id)
    }

    /// One of those for whom the others may be waiting holds the committed state.
    private mutating func restored(_ id: PeerID, at now: Instant) {
        guard case .restoring(var pending) = stage else { return }
        pending.remove(id)
        progress.moved()
        stage = .restoring(pending)
        if pending.isEmpty { assemble(at: now) }
    }

    /// A worker has followed a commit.
    private mutating func updated(_ id: PeerID, _ update: Update, at now: Instant) {
        guard peers[id]?.state.holds == update.held.step else { return }
        peers[id]?.state.followed(update.held.digest)
        guard peers[id]?.pace.followed(update.times, at: now) == true, let peer = peers[id] else {
            return
        }
        timeline.add(update, of: peer, members?.generation, at: now)
    }

    /// The first peer that holds the committed state.
    private var holder: PeerID? {
        peers.inOrder.first { $0.isPrepared && $0.state.holds == history.committed }?.id
    }

    // MARK: boundaries

    /// Takes the decisions between two steps: checkpoints, validation, newcomers, the end.
    private mutating func boundary(at now: Instant) {
        let committed = history.committed
        let isLast = committed >= policy.steps
        if isStopping { return save(at: now) }
        if !isLast && snapshots.isDue(at: committed, now) && history.origin.step < committed {
            snapshots.begin(committed, donor: members?.peers.first, at: now, &outbox)
        }
        if trial.isDue(after: committed, isLast: isLast) {
            trial.begin(after: committed)
            return evaluate(batch: 0)
        }
        if isLast { return save(at: now) }
        if hasNewcomers(at: now) { return assemble(at: now) }
        let graduates = graduates()
        if !graduates.isEmpty { return admit(graduates, at: now) }
        if let members, formation.isWorthChanging(members, peers, at: committed, &outbox) {
            return assemble(at: now)
        }
        startStep(at: now)
        enrol(at: now)
        teachAll(at: now)
    }

    /// Workers outside the ring that hold its state, while there are shards for them.
    ///
    /// One who holds a later state than the run goes on from is welcome in any case.
    private func hasNewcomers(at now: Instant) -> Bool {
        guard let members else { return false }
        let hasRoom = members.peers.count < policy.shards
        return peers.contains { peer in
            guard peer.isPrepared, !members.contains(peer.id), !formation.holdsBack(peer, at: now)
            else { return false }
            let usable = history.usable(peer.state.holds)
            return hasRoom && peer.state.holds == history.committed
                || usable.map { $0 > history.committed } ?? false
        }
    }

    private mutating func evaluate(batch: Int) {
        guard let members else { preconditionFailure("an evaluation without members") }
        trial.clear()
        stage = .evaluating(batch: batch)
        for (peer, shards) in members.shares {
            outbox.add(
                .sendEvaluation(peer, step: history.committed, batch: batch, shards: shards))
        }
    }

    private mutating func evaluated(_ evaluation: Evaluation, by id: PeerID, at now: Instant) {
        guard case .evaluating(let batch) = stage, evaluation.batch == batch,
            evaluation.step == history.committed, let members, let shards = members.shards(of: id)
        else { return }
        guard evaluation.reports.map(\.shard) == Array(shards) else {
            return lost(id, .spokeNonsense, at: now)
        }
        trial.add(evaluation, of: id)
        progress.moved()
        guard trial.addUp(members) else { return }
        if let next = trial.next(after: batch) { return evaluate(batch: next) }
        outbox.add(.validated(trial.end(at: history.committed)))
        boundary(at: now)
    }

    // MARK: the end

    private mutating func stopRequested(at now: Instant) {
        guard !isStopping else { return }
        isStopping = true
        outbox.note(.stopping(step: history.committed))
        switch stage {
        case .stepping, .finished, .saving: break
        case .waiting, .restoring, .forming, .evaluating: save(at: now)
        }
    }

    /// Writes the last checkpoint, unless it is there already, and ends.
    ///
    /// A run that is done but for this checkpoint waits until somebody holds its state again; one
    /// that was asked to stop saves the best that is there.
    private mutating func save(at now: Instant) {
        dissolve()
        if holder == nil && isStopping { goToBestStep() }
        if history.origin.step >= history.committed || !policy.checkpoints.atEnd { return finish() }
        if let open = snapshots.step {
            // At its end a run lets the checkpoint before finish too; who is stopped is in a hurry.
            if open == history.committed || !isStopping {
                stage = .saving
                return
            }
            snapshots.close(peers, &outbox)
        }
        guard let donor = holder else {
            return isStopping ? finish() : assemble(at: now)
        }
        stage = .saving
        snapshots.ask(donor, for: history.committed, at: now, &outbox)
    }

    private mutating func finish() {
        let committed = history.committed
        let isSaved = history.origin.step >= committed || !policy.checkpoints.atEnd
        if committed >= policy.steps && isSaved {
            return end(.finished(step: committed), "the run is finished")
        }
        let saved: Int? = if case .checkpoint(let step) = history.origin { step } else { nil }
        end(.stopped(step: committed, saved: saved), "the run was stopped")
    }

    /// Nothing is saved: the newest checkpoint holds the same parameters, or better ones.
    private mutating func giveUp() {
        let step = history.lastCommitted
        let count = history.skipped(upTo: step)
        end(.gaveUp(step: step, skipped: count), "\(count) steps up to \(step) were skipped")
    }

    // MARK: checkpoints

    private mutating func captured(_ held: HeldState, from id: PeerID, at now: Instant) {
        guard let donor = peers[id] else { return }
        switch snapshots.captured(held, from: donor) {
        case .nothing: break
        case .nonsense: lost(id, .spokeNonsense, at: now)
        case .damage: mistrust([id], of: held.step, at: now)
        }
    }

    /// Makes those with a damaged state take it anew; the others fold the step at hand.
    private mutating func mistrust(_ odd: [PeerID], of step: Int, at now: Instant) {
        snapshots.close(peers, &outbox)
        outbox.note(.stateDiffers(step: step + 1, names: peers.names(of: odd)))
        for id in odd where peers[id]?.state.holds == step { peers[id]?.state.forget() }
        stage == .saving ? save(at: now) : assemble(at: now)
    }

    private mutating func stored(_ step: Int, _ position: Int, at now: Instant) {
        progress.moved()
        guard snapshots.stored(step, position, at: now, &outbox) else { return }
        if let odd = snapshots.mistrusted(peers, &outbox) {
            return mistrust(odd, of: step, at: now)
        }
        outbox.add(.commitCheckpoint(step: step))
    }

    private mutating func checkpointWritten(_ step: Int, at now: Instant) {
        if let written = snapshots.written(step) {
            timeline.add(
                PhaseSpan(
                    .checkpoint, of: peers[written.donor]?.name, step: step, nil,
                    from: written.begun, to: now))
        }
        history.saved(step: step)
        if stage == .saving { save(at: now) }
    }

    private mutating func checkpointFailed(_ step: Int, at now: Instant) {
        if snapshots.failed(step, &outbox), stage == .saving {
            if step < history.committed { return save(at: now) }
            return end(.checkpointFailed(step: step), "the checkpoint could not be written")
        }
        let pause = snapshots.retry(at: now)
        outbox.note(.checkpointRetried(step: step, milliseconds: pause.count))
    }

    // MARK: steps

    private mutating func startStep(at now: Instant) {
        guard let members else { preconditionFailure("a step without members") }
        if history.isHopeless(at: history.lastCommitted, of: policy.steps) { return giveUp() }
        // The link broke after the last step was folded.
        if regenerateAt != nil { return assemble(at: now) }
        let step = history.committed + 1
        ballot.clear()
        progress.begin()
        stage = .stepping(step: step, since: now)
        for (peer, shards) in members.shares {
            outbox.add(
                .sendStep(peer, generation: members.generation, step: step, shards: shards))
        }
    }

    private mutating func voted(_ vote: Vote, by id: PeerID, at now: Instant) {
        guard case .stepping(let step, let since) = stage, let members, vote.step == step,
            vote.generation == members.generation, let shards = members.shards(of: id)
        else { return }
        guard vote.fits(shards) else { return lost(id, .spokeNonsense, at: now) }
        guard !ballot.has(id) else { return }
        // What was committed is told to have been written before the next step is voted on.
        guard peers[id]?.state.written != nil else { return lost(id, .spokeNonsense, at: now) }
        ballot.add(vote, of: id)
        peers[id]?.pace.answered(sent: since, vote.times, at: now)
        if let peer = peers[id] { timeline.add(vote, of: peer, at: now) }
        progress.moved()
        if let votes = ballot.whole(members) { settle(votes, members, since: since, at: now) }
    }

    private mutating func settle(
        _ votes: [Vote], _ members: Members, since: Instant, at now: Instant
    ) {
        let step = history.committed + 1
        let written = members.peers.map { peers[$0]!.state.written! }
        switch Ballot.verdict(votes, written, members) {
        case .statesDiffer(let odd):
            outbox.note(.stateDiffers(step: step, names: peers.names(of: odd)))
            for id in odd { peers[id]?.state.forget() }
            snapshots.close(of: odd, peers, &outbox)
            refold(odd, at: now)
        case .notFinite(let shards):
            guard policy.onNonFinite == .skip else {
                return end(.nonFinite(step: step, shards: shards), "step \(step) is not finite")
            }
            outbox.note(.skipped(step: step, shards: shards))
            commit(votes, members, skipped: true, since: since, at: now)
        case .totalsDiffer(let odd):
            outbox.note(.totalsDiffer(step: step, names: peers.names(of: odd)))
            refold(odd, at: now)
        case .agreed: commit(votes, members, skipped: false, since: since, at: now)
        }
    }

    /// Those whose state is odd take it anew; where no majority shows who is odd, all do.
    private mutating func refold(_ odd: [PeerID], at now: Instant) {
        guard ballot.again() else {
            let step = history.committed + 1
            return end(
                .disagreement(step: step, workers: peers.names(of: odd)),
                "workers disagree on step \(step)")
        }
        assemble(at: now)
    }

    private mutating func commit(
        _ votes: [Vote], _ members: Members, skipped: Bool, since: Instant, at now: Instant
    ) {
        let step = history.committed + 1
        let seconds = now.seconds(since: since)
        let decided = CommittedStep(
            votes, step, members.generation, skipped: skipped, seconds: seconds)
        outbox.add(.record(decided))
        history.commit(decided.line)
        measure(votes, members, stepSeconds: seconds)
        ballot.committed()
        formation.committed()
        entrance.settle(on: peers[members.peers[0]]?.hello)
        for id in members.peers {
            outbox.send(.commit(Commit(decided.line, durable: history.durable)), to: id)
            peers[id]?.state.follow(step: step)
            peers[id]?.pace.committed(at: now)
        }
        if skipped { pass(step: step) }
        if history.isHopeless(at: step, of: policy.steps) { return giveUp() }
        boundary(at: now)
    }

    /// Notes computing times and what links carried, and names the worker that holds the others up
    /// in most steps.
    private mutating func measure(_ votes: [Vote], _ members: Members, stepSeconds: Double) {
        for (id, vote) in zip(members.peers, votes) {
            guard let threads = peers[id]?.hello.threads else { continue }
            peers[id]?.pace.computed(vote, threads: threads, isAnew: formation.attempts > 0)
        }
        stragglers.add(
            zip(members.peers, votes).map { ($0, $1.computeSeconds) }, step: stepSeconds)
        if let news = stragglers.news(), let peer = peers[news.peer] {
            outbox.note(
                .straggler(
                    name: peer.name, host: peer.hello.address.hostName, steps: news.steps,
                    milliseconds: Int64((1000 * news.delay).rounded()),
                    stepMilliseconds: Int64((1000 * news.step).rounded())))
        }
        formation.measured(votes, members, peers, stepSeconds: stepSeconds)
    }

    // MARK: teaching

    /// Lets those who lack the state learn it, while there are shards for them.
    private mutating func enrol(at now: Instant) {
        guard let members else { return }
        let committed = history.committed
        var room = policy.shards - members.peers.count - teaching.count
        for peer in peers.inOrder where room > 0 {
            let usable = history.usable(peer.state.holds)
            guard peer.isPrepared, !teaching.has(peer.id), peer.state.mistaught != committed,
                !members.contains(peer.id),
                peer.state.holds.map({ $0 < committed || usable == nil }) ?? true,
                !formation.holdsBack(peer, at: now)
            else { continue }
            endDelivery(to: peer.id)
            teaching.begin(peer.id, holding: usable, committed: committed, at: now)
            beginState(of: peer.id, at: now)
            outbox.note(.teaching(name: peer.name, step: committed))
            teach(peer.id, at: now)
            room -= 1
        }
    }

    private mutating func teach(_ id: PeerID, at now: Instant) {
        teaching.ask(for: id, peers, committed: history.committed, at: now, &outbox)
    }

    private mutating func teachAll(at now: Instant) {
        teaching.askForAll(peers, committed: history.committed, at: now, &outbox)
    }

    /// A donor's answer: it goes on to whoever it was asked for.
    private mutating func piece(_ piece: StatePiece, from donor: PeerID, at now: Instant) {
        switch teaching.take(piece, from: donor, committed: history.committed, at: now) {
        case .nonsense: lost(donor, .spokeNonsense, at: now)
        case .unwanted: break
        case .useless(let pupil): teach(pupil, at: now)
        case .handed(let pupil):
            // Its state is a mixture from here on, until it says otherwise.
            peers[pupil]?.state.forget()
            outbox.send(.piece(piece), to: pupil)
            teach(pupil, at: now)
        }
    }

    private mutating func pieceTaken(by id: PeerID, at now: Instant) {
        guard teaching.taken(by: id, at: now) else { return }
        if case .restoring = stage { progress.moved() }
        teach(id, at: now)
    }

    /// A step that was skipped brings everybody forward without a total.
    private mutating func pass(step: Int) {
        for peer in peers.inOrder where teaching.pass(step: step, peer.id) {
            peers[peer.id]?.state.forget()
            outbox.send(.passStep(step), to: peer.id)
        }
    }

    /// A pupil's state is all of one step: it is right if a member has written the same. If not,
    /// the pupil starts anew.
    private mutating func learned(_ id: PeerID, _ held: HeldState, at now: Instant) {
        guard held.step == history.committed, teaching.isWhole(id, at: held.step),
            let known = peers.inOrder.first(where: {
                $0.id != id && $0.state.holds == held.step && $0.state.written != nil
            })
        else { return }
        guard known.state.written == held.digest else {
            outbox.note(.stateDiffers(step: held.step, names: peers.names(of: [id])))
            // It may be a donor's memory that has changed: the vote on a step shows whose.
            teaching.end(id)
            peers[id]?.state.mislearned(step: held.step)
            if case .restoring = stage { assemble(at: now) }
            return
        }
        prove(id, held, at: now)
        restored(id, at: now)
    }

    /// Pupils that are nearly there, or whose link will not bring them nearer: the others wait for
    /// the rest.
    private mutating func graduates() -> [PeerID] {
        guard let members else { return [] }
        return teaching.graduates(
            peers, committed: history.committed, room: policy.shards - members.peers.count)
    }

    /// Lets the others wait until the graduates hold the state of the step just committed.
    private mutating func admit(_ graduates: [PeerID], at now: Instant) {
        dissolve()
        let pending = graduates.filter { peers[$0]?.state.holds != history.committed }
        guard !pending.isEmpty else { return assemble(at: now) }
        stage = .restoring(Set(pending))
        for id in pending { teach(id, at: now) }
    }

    // MARK: waits

    /// Watches for peers that are silent or stuck: every wait of the run ends here.
    private mutating func tick(at now: Instant) {
        // Who was itself stopped has not listened: nobody is judged by that silence.
        if progress.tick(policy.deadlines, at: now) { excuse(at: now) }
        giveUpSilent(at: now)
        if progress.isHeartbeatDue(policy.deadlines, at: now) {
            for peer in peers.inOrder { outbox.send(.heartbeat, to: peer.id) }
        }
        if let moment = regenerateAt, moment <= now, stage.needsRing { assemble(at: now) }
        startIfEnough(at: now)
        guard !isPaused else { return }
        if let (donor, silence) = snapshots.stuck(at: now) {
            lost(donor, .stuck(milliseconds: silence), at: now)
        }
        for (id, silence) in teaching.stuck(peers, policy.deadlines.stall, at: now) {
            lost(id, .stuck(milliseconds: silence), at: now)
        }
        for id in rotation?.overdue(among: peers, at: now) ?? [] {
            lost(id, .keptOldToken, at: now)
        }
        endRotation()
        sayWhoIsAwaited(at: now)
        watchProgress(at: now)
    }

    /// Gives up who has been silent for the peer timeout.
    ///
    /// Whoever has been silent for hardly less, by little more than the time between two
    /// heartbeats, is waited for: where this host is cut off, all go together, and no ring is
    /// formed of those who are next.
    private mutating func giveUpSilent(at now: Instant) {
        let timeout = policy.deadlines.peerTimeout
        let apart = policy.deadlines.heartbeat.count * 5 / 4
        let silent = peers.inOrder.filter { $0.presence.isSilent(for: timeout, at: now) }
        let fading = Milliseconds(max(0, timeout.count - apart))
        let isAlone =
            peers.count { $0.presence.isSilent(for: fading, at: now) } == silent.count
        guard !silent.isEmpty, isAlone else { return }
        for peer in silent { peers[peer.id]?.isPrepared = false }
        for peer in silent {
            let silence = now.milliseconds(since: peer.presence.lastHeard)
            lost(peer.id, .silent(milliseconds: silence), at: now)
        }
    }

    /// Nobody is judged by the silence before this moment.
    private mutating func excuse(at now: Instant) {
        peers.excuse(at: now)
        progress.excuse()
        snapshots.excuse(at: now)
        teaching.excuse(at: now)
    }

    /// Those for whom the stage at hand waits, in order; nobody where something else keeps watch.
    private var awaited: [PeerID] {
        switch stage {
        case .waiting, .saving, .finished: []
        // Pupils are watched by their pieces.
        case .restoring(let pending): pending.filter { !teaching.has($0) }.sorted()
        case .forming(let pending): pending.sorted()
        case .stepping: members?.peers.filter { !ballot.has($0) } ?? []
        case .evaluating: members?.peers.filter { !trial.has($0) } ?? []
        }
    }

    /// Looks whether those whom the stage waits for get on with it.
    private mutating func watchProgress(at now: Instant) {
        let watched = awaited
        guard !watched.isEmpty else { return progress.begin() }
        let work = (members?.peers ?? watched).map { peers[$0]?.presence.heartbeat?.progress ?? 0 }
        // Drawing or loading a whole state is one long piece of work without steps in between.
        let stall = policy.deadlines.stall
        let isPreparing = watched.contains { peers[$0]?.presence.heartbeat?.phase == .preparing }
        let patience = isPreparing ? Milliseconds(8 * stall.count) : stall
        if let silence = progress.standstill(work, patience: patience, at: now) {
            stalled(watched, milliseconds: silence, at: now)
        }
    }

    /// Excludes who is stuck in work of its own; where all wait for others, forms the ring anew,
    /// and after some attempts without those who do not find each other.
    private mutating func stalled(_ watched: [PeerID], milliseconds: Int64, at now: Instant) {
        outbox.note(
            .stalled(
                step: history.committed + 1, waiting: peers.names(of: watched),
                milliseconds: milliseconds))
        var culprits = watched.filter { isInOwnWork($0) }
        switch stage {
        case .restoring: culprits = watched
        // Nobody is to blame; one stays with whom the run goes on.
        case .forming where culprits.isEmpty && formation.attempts > 2:
            let isAll = watched.count == members?.peers.count
            culprits = isAll ? Array(watched.dropFirst()) : watched
        default: break
        }
        // Where all are to blame, others must be there to go on.
        let isAll = culprits.count == members?.peers.count
        if isAll && peers.count(where: \.isPrepared) == culprits.count {
            culprits = formation.attempts > 2 ? Array(culprits.dropFirst()) : []
        }
        guard !culprits.isEmpty else { return assemble(at: now) }
        for id in culprits { lost(id, .stuck(milliseconds: milliseconds), at: now) }
    }

    private func isInOwnWork(_ id: PeerID) -> Bool {
        peers[id]?.presence.isInOwnWork(while: stage) ?? !stage.isForming
    }

    /// Says for whom the run waits when a stage takes longer than it did before, then ever more
    /// rarely.
    private mutating func sayWhoIsAwaited(at now: Instant) {
        let silence = progress.longWait(
            committed: history.committed, counter: formation.counter, usual: usualPatience,
            at: now)
        guard let silence else { return }
        if stage == .waiting { return sayHowManyAreMissing(milliseconds: silence) }
        let waited = awaited
        guard !waited.isEmpty else { return }
        // Who waits for another is not the one to name, if anybody is silent or at work.
        let limit = Milliseconds(policy.deadlines.heartbeat.count * 3 / 2)
        let silent = waited.filter { peers[$0]?.presence.isSilent(for: limit, at: now) ?? false }
        let busy = silent.isEmpty ? waited.filter { isInOwnWork($0) } : silent
        let named = (busy.isEmpty ? waited : busy).compactMap { peers[$0] }.map {
            Awaited(
                name: $0.name, host: $0.hello.address.hostName, phase: phase(of: $0),
                waitingFor: waitingFor($0))
        }
        outbox.note(.awaiting(step: history.committed + 1, named, milliseconds: silence))
    }

    /// Three of the recent steps, but no less than a quarter of the peer timeout.
    private var usualPatience: Milliseconds {
        let step = members?.peers.compactMap { peers[$0]?.pace.computeSeconds }.max() ?? 0
        return Milliseconds(max(policy.deadlines.peerTimeout.count / 4, Int64(3000 * step)))
    }

    /// Says how many workers a run that has not started waits for: those who are here are not the
    /// ones to name.
    private mutating func sayHowManyAreMissing(milliseconds: Int64) {
        let ready = peers.inOrder.filter(\.isPrepared)
        let missing = policy.gathering.workers - ready.count
        guard !hasStarted, !isStopping, missing > 0 else { return }
        outbox.note(
            .gathering(
                names: ready.map(\.name), missing: missing, milliseconds: milliseconds))
    }

    // MARK: what people are told

    /// A line about where the run is, for traces.
    package var brief: String {
        "\(stage) at step \(history.committed) of \(policy.steps), "
            + "recorded \(history.recordedStep), \(peers.count) peers, "
            + "snapshot \(snapshots.step.map { "of \($0)" } ?? "none")"
    }

    /// The last step that stands.
    package var lastCommitted: Int { history.lastCommitted }

    /// Time after which a tick is due even if nothing else happens.
    package var tickInterval: Milliseconds {
        let heartbeat = policy.deadlines.heartbeat.count
        return Milliseconds(
            regenerateAt == nil ? heartbeat : min(heartbeat, policy.deadlines.settle.count))
    }

    /// Returns how many steps one after another changed nothing, the last of which is `step`.
    package func skipped(upTo step: Int) -> Int { history.skipped(upTo: step) }

    /// All workers, in the order in which they were welcomed.
    package var company: [Companion] {
        peers.inOrder.map { Companion(id: $0.id, name: $0.name, hello: $0.hello) }
    }

    /// Returns the state of the run; `now` tells how long ago each peer was heard.
    package func status(at now: Instant) -> RunStatus {
        let state: RunStatus.State =
            switch stage {
            case .waiting: .waiting
            case .restoring, .forming: hasStarted ? .recovering : .waiting
            case .stepping, .evaluating, .saving: .running
            case .finished: .finished
            }
        return RunStatus(
            step: history.lastCommitted, steps: policy.steps, generation: Int(formation.counter),
            incarnation: Int(policy.run.epoch), state: state, paused: isPaused,
            workers: peers.inOrder.map {
                RunStatus.Worker(
                    $0, members, phase: phase(of: $0), waitingFor: waitingFor($0),
                    late: stragglers.lateness(of: $0.id), at: now)
            })
    }

    /// The phase that a peer tells, or the one that it must be in where its heartbeat is older.
    private func phase(of peer: Peer) -> String {
        if teaching.has(peer.id) { return "learning" }
        if let phase = peer.presence.phaseBefore { return phase }
        let heartbeat = peer.presence.heartbeat
        let said = heartbeat?.phase ?? .joining
        guard case .stepping(let step, _) = stage, members?.contains(peer.id) == true else {
            return said == .receivingState ? "receiving the state" : "\(said)"
        }
        if ballot.has(peer.id) { return "\(WorkerPhase.voting)" }
        if heartbeat?.step == step && said == .folding { return "\(said)" }
        return "\(peer.state.written == nil ? WorkerPhase.updating : .computing)"
    }

    /// The neighbour for which its fold waits, by name.
    private func waitingFor(_ peer: Peer) -> String {
        // A heartbeat from before the step at hand tells of another wait.
        guard phase(of: peer) == "\(WorkerPhase.folding)" else { return "" }
        let neighbour =
            switch peer.presence.heartbeat?.waitingFor {
            case "predecessor": members?.predecessor(of: peer.id)
            case "successor": members?.successor(of: peer.id)
            default: nil as PeerID?
            }
        return neighbour.flatMap { peers[$0]?.name } ?? ""
    }
}
