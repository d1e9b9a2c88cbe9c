import Coordination
import Ring
import Wire

/// Processes, links and a disk on one clock; everything that happens follows from the seed.
final class World {
    let plan: Plan
    let model: ToyModel
    var random: RandomStream
    var agenda = Agenda()
    /// Microseconds.
    private(set) var now: Int64 = 0
    var disk = Disk()
    var audit: Audit
    private(set) var workers: [SimulatedWorker] = []
    private(set) var coordinator: SimulatedCoordinator!
    private var controlCuts: [Int: Fault.Ways] = [:]
    private var ringLinks: [Int: RingLink] = [:]
    private var actionsToLive: Int?
    /// Workers and ring links for which a fault does not end.
    private var lostWorkers: Set<Int> = []
    private var lostLinks: Set<Int> = []
    private var losesPower = false
    private(set) var isFinished = false
    /// How often each rare branch was met.
    private(set) var met: [RareBranch: Int] = [:]
    /// Bits that have changed in workers' memories.
    private var flips = 0
    /// Faults of workers since the first vote of a step; nil while nobody votes.
    private var faultsInVote: Int?
    /// Notes of the coordinator, and the moments at which it gave them.
    var notes: [(time: Int64, note: CoordinatorNote)] = []
    private let isTracing: Bool
    private(set) var lines: [String] = []

    init(_ plan: Plan, tracing: Bool) {
        self.plan = plan
        isTracing = tracing
        model = ToyModel(seed: plan.seed)
        random = RandomStream(seed: ~plan.seed)
        audit = Audit(
            Undisturbed(model, steps: plan.steps, shards: plan.shards, wire: plan.wire))
        coordinator = SimulatedCoordinator(self)
        workers = (0..<plan.slots).map { SimulatedWorker(self, slot: $0) }
        coordinator.begin()
        for worker in workers.prefix(plan.workers) { start(worker, within: 200_000) }
        for (time, fault) in plan.faults {
            agenda.add(at: time) { [unowned self] in self.happen(fault) }
        }
        agenda.add(at: plan.horizon) { [unowned self] in heal() }
    }

    /// Lets time pass until the run is finished, something forbidden has happened, or it takes too
    /// long.
    func run() {
        while !isFinished, audit.violation == nil, let next = agenda.next() {
            now = next.time
            next.action()
            if now > plan.horizon + Plan.patience {
                return fail("not finished after \(now / 1_000_000) s: \(coordinator.machine.brief)")
            }
        }
    }

    var instant: Instant { Instant(nanoseconds: now * 1000) }

    func meets(_ branch: RareBranch) { met[branch, default: 0] += 1 }

    /// A worker's vote is there, or the step's commit.
    func votes() { faultsInVote = faultsInVote ?? 0 }
    func commits() { faultsInVote = nil }

    /// Whether a fault of a ring is what its members must expect, and not their own mistake.
    func mayBreak(_ ring: SimulatedRing, _ fault: FoldFault) -> Bool {
        if plan.hasUnsoundLinks { return true }
        // The same frame twice counts twice while it is kept.
        if plan.has(.repeatsFrames), case .violation(_, .tooFarAhead) = fault { return true }
        // Whoever has left, or formed another ring, writes where others still read.
        let members = workers.filter {
            $0.isAlive && $0.ring?.generation == ring.generation && $0.ring?.isBroken == false
        }
        return members.count + 1 < ring.workers
    }

    /// It can never produce a delay of more than 80 ms; those are stops and cuts.
    func delay() -> Int64 {
        Int64(
            plan.has(.delays) && random.chance(3)
                ? random.number(10_000...80_000) : random.number(50...2_500))
    }

    func fail(_ reason: String) {
        trace { "VIOLATION \(reason)" }
        audit.fail(reason)
    }

    func trace(_ line: () -> String) {
        guard isTracing else { return }
        let time = String(now)
        let padding = String(repeating: " ", count: max(0, 9 - time.count))
        lines.append("\(padding)\(time) \(line())")
    }

    func name(of peer: PeerID) -> String {
        coordinator.connections[peer].map { $0.worker.name } ?? "?"
    }

    // MARK: life and death

    private func start(_ worker: SimulatedWorker, within time: Int) {
        let life = worker.life
        agenda.add(at: now + Int64(random.number(0...time))) { [unowned self] in
            guard !worker.isAlive, worker.life == life else { return }
            trace { "\(worker.name) starts" }
            worker.begin()
        }
    }

    func left(_ worker: SimulatedWorker, _ outcome: WorkerOutcome) {
        switch outcome {
        case .refused, .unfit: fail("\(worker.name) left: \(outcome)")
        case .finished, .stopped: break
        }
        worker.kill()
        start(worker, within: 500_000)
    }

    func ended(_ process: SimulatedCoordinator, _ outcome: Outcome) {
        guard process.isAlive else { return }
        process.kill()
        switch outcome {
        case .finished:
            audit.finishes(with: disk, steps: plan.steps)
            isFinished = true
        case .stopped, .recordFailed, .checkpointFailed: restartCoordinator()
        // One step is folded anew three times: with a fourth fault of memory the run is given up.
        case .disagreement where flips > 3: restartCoordinator()
        case .nonFinite, .gaveUp, .parametersNotFinite, .disagreement:
            fail("the run ended: \(outcome)")
        }
    }

    private func restartCoordinator() {
        let life = coordinator.life
        agenda.add(at: now + Int64(random.number(50_000...1_500_000))) { [unowned self] in
            guard !coordinator.isAlive, coordinator.life == life else { return }
            trace { "c starts again" }
            coordinator.begin()
        }
    }

    /// Whether the coordinator's hour has come.
    func dies(_ process: SimulatedCoordinator) -> Bool {
        guard let left = actionsToLive else { return false }
        actionsToLive = left - 1
        guard left <= 1 else { return false }
        killCoordinator()
        return true
    }

    private func killCoordinator() {
        trace { "c is killed\(self.losesPower ? ", without power" : "")" }
        actionsToLive = nil
        guard coordinator.isAlive else { return }
        if disk.isWriting { meets(.coordinatorDiesWhileWriting) }
        if losesPower, disk.durableLines < disk.ledger.count { meets(.losesLines) }
        coordinator.kill()
        disk.crash(losingPower: losesPower)
        restartCoordinator()
    }

    private func kill(_ worker: SimulatedWorker) {
        guard worker.isAlive else { return }
        worker.kill()
        start(worker, within: 1_000_000)
    }

    // MARK: links

    /// Bytes a second between two hosts, 0 within one.
    func linkRate(from slot: Int, to successor: Int?) -> Double {
        guard let successor, !plan.linkRates.isEmpty,
            workers[slot].host != workers[successor].host
        else { return 0 }
        return 1e6 * plan.linkRates[workers[slot].host][workers[successor].host]
    }

    func isCut(_ slot: Int, _ way: Fault.Ways? = nil) -> Bool {
        guard let cut = controlCuts[slot] else { return false }
        return way == nil || cut == .both || cut == way
    }

    /// Carries what one member sends to another.
    ///
    /// It can never produce: a frame of another run; a frame that nobody has sent, but for changed
    /// bits; a frame by another way than its sender's; part of a frame; a loss, a change or a
    /// disorder after the horizon.
    func send(_ parcel: RingParcel, to slot: Int) {
        let key = parcel.from * plan.slots + slot
        var parcel = parcel
        var arrival = max(now + delay(), ringLinks[key]?.lastArrival ?? 0)
        if case .frame(var bytes, let neighbour) = parcel.content, now < plan.horizon {
            if plan.has(.losesFrames), random.number(0...999) < 2 { return }
            if plan.has(.altersFrames), random.number(0...999) < 2 {
                bytes[random.number(0...bytes.count - 1)] ^= 1 << UInt8(random.number(0...7))
                parcel.content = .frame(bytes, from: neighbour)
            }
            if plan.has(.overtakes), random.number(0...999) < 5 { arrival = now + 1 }
            if plan.has(.misroutes), random.number(0...999) < 2, neighbour == .predecessor,
                let next = workers[slot].ring?.successor
            {
                var astray = parcel
                astray.from = slot
                let life = workers[next].life
                agenda.add(at: arrival) { [unowned self] in arrive(astray, at: next, life) }
            }
        }
        ringLinks[key, default: RingLink()].lastArrival = max(
            arrival, ringLinks[key]?.lastArrival ?? 0)
        let life = workers[slot].life
        agenda.add(at: arrival) { [unowned self] in arrive(parcel, at: slot, life) }
        // Once more, and late.
        if plan.has(.repeatsFrames), random.chance(15) {
            let late = random.chance(50) ? 100_000 : 1_500_000
            let again = arrival + Int64(random.number(1_000...late))
            agenda.add(at: again) { [unowned self] in arrive(parcel, at: slot, life) }
        }
    }

    private func arrive(_ frame: RingParcel, at slot: Int, _ life: Int) {
        let key = frame.from * plan.slots + slot
        if ringLinks[key]?.isCut == true {
            ringLinks[key]?.held.append((frame, life))
            return
        }
        guard workers[slot].life == life else { return }
        workers[slot].later(0) { [unowned self] in workers[slot].take(frame) }
    }

    /// The neighbours of a member see its links break.
    func breakRings(with slot: Int, because reason: String) {
        guard let generation = workers[slot].ring?.generation else { return }
        breakRings(of: generation, with: slot, because: reason)
    }

    func breakRings(of generation: Generation, with slot: Int, because reason: String) {
        for worker in workers where worker.slot != slot && worker.isAlive {
            guard let ring = worker.ring, ring.generation == generation,
                ring.successor == slot || random.chance(50)
            else { continue }
            worker.later(Int(delay())) { worker.ringBroke(generation, because: reason) }
        }
    }

    // MARK: faults

    func happen(_ fault: Fault) {
        trace { "FAULT \(fault)" }
        if let faults = faultsInVote, fault.befallsWorker {
            faultsInVote = faults + 1
            if faults == 1 { meets(.twoFaultsInOneVote) }
        }
        switch fault {
        case .killWorker(let slot): kill(workers[slot])
        case .stopWorker(let slot, let time):
            stop(workers[slot], time)
            if time >= Fault.forGood { lostWorkers.insert(slot) }
        case .hangWorker(let slot, let time):
            workers[slot].hangs(until: now + Int64(time))
            if time >= Fault.forGood { lostWorkers.insert(slot) }
        case .endWorker(let slot):
            workers[slot].later(0) { [unowned self] in workers[slot].handle(.stopRequested) }
        case .dropConnection(let slot): workers[slot].connection?.close()
        case .cutControl(let slot, let ways, let time):
            controlCuts[slot] = ways
            if time >= Fault.forGood { lostWorkers.insert(slot) }
            agenda.add(at: now + Int64(time)) { [unowned self] in healControl(slot) }
        case .cutRing(let from, let to, let time):
            let key = from * plan.slots + to
            ringLinks[key, default: RingLink()].isCut = true
            if time >= Fault.forGood { lostLinks.insert(key) }
            agenda.add(at: now + Int64(time)) { [unowned self] in healRing(key, to) }
        case .dropRing(let slot):
            if workers[slot].isAlive { breakRings(with: slot, because: "the link broke") }
        case .join(let slot): start(workers[slot], within: 1)
        case .killCoordinator(let actions, let losingPower):
            actionsToLive = actions
            losesPower = losingPower
        case .stopCoordinator(let time): stop(coordinator, time)
        case .failDisk(let time):
            disk.isFailing = true
            agenda.add(at: now + Int64(time)) { [unowned self] in disk.isFailing = false }
        case .flipBit(let slot, let bit):
            flips += 1
            workers[slot].flipLater(bit)
        case .stopRun: coordinator.later(0) { [unowned self] in coordinator.stopRun() }
        case .changeToken: coordinator.later(0) { [unowned self] in coordinator.changeToken() }
        case .killEverything(let losingPower):
            losesPower = losingPower
            killCoordinator()
            for worker in workers { kill(worker) }
        }
    }

    private func stop(_ process: Process, _ time: Int) {
        let life = process.life
        process.stop()
        agenda.add(at: now + Int64(time)) { [unowned self] in
            if process.life == life {
                trace { "\(process.name) goes on" }
                process.proceed()
            }
        }
    }

    private func healControl(_ slot: Int) {
        controlCuts[slot] = nil
        workers[slot].connection?.pumpAll()
    }

    private func healRing(_ key: Int, _ slot: Int) {
        guard let link = ringLinks[key], link.isCut else { return }
        ringLinks[key]?.isCut = false
        ringLinks[key]?.held = []
        for (frame, life) in link.held { arrive(frame, at: slot, life) }
    }

    private func heal() {
        trace { "all faults are over" }
        actionsToLive = nil
        disk.isFailing = false
        let whole = workers.filter { !lostWorkers.contains($0.slot) }
        for worker in whole { healControl(worker.slot) }
        for key in ringLinks.keys.sorted() where !lostLinks.contains(key) {
            healRing(key, key % plan.slots)
        }
        for worker in whole {
            worker.hangs(until: 0)
            worker.proceed()
        }
        coordinator.proceed()
        for worker in workers where !worker.isAlive { start(worker, within: 100_000) }
    }
}

private struct RingLink {
    var lastArrival: Int64 = 0
    var isCut = false
    var held: [(RingParcel, Int)] = []
}
