import Coordination
import Wire

/// A fault, and how long it lasts (microseconds; `forGood` does not end by itself).
enum Fault: Hashable, Sendable {
    case killWorker(slot: Int)
    case stopWorker(slot: Int, time: Int)
    /// Its arithmetic hangs while its heartbeats go on.
    case hangWorker(slot: Int, time: Int)
    /// Asked to end.
    case endWorker(slot: Int)
    case dropConnection(slot: Int)
    case cutControl(slot: Int, Ways, time: Int)
    case cutRing(from: Int, to: Int, time: Int)
    case dropRing(slot: Int)
    case join(slot: Int)
    /// Dies while it carries out actions; without power it loses what is not synced.
    case killCoordinator(afterActions: Int, losingPower: Bool)
    case stopCoordinator(time: Int)
    case failDisk(time: Int)
    /// A bit of a worker's parameters changes while it computes.
    case flipBit(slot: Int, bit: Int)
    case stopRun
    /// The run's token is made anew while it runs.
    case changeToken
    case killEverything(losingPower: Bool)

    enum Ways: Hashable, Sendable { case up, down, both }

    static let forGood = 1_000_000_000
}

/// A mistake that can be switched on to see that it is found.
package enum Canary: Hashable, Sendable, CaseIterable {
    /// Ring frames of an older generation are added.
    case countsStaleFrames
    /// Now and then a step is committed without a line in the ledger.
    case forgetsLines
    /// A checkpoint gets its name before the ledger is synced.
    case forgetsToSynchronize
    /// Gradients of a state are kept when the state is replaced.
    case keepsOldGradients
    /// The digest of a state is not taken anew before a vote.
    case trustsMemory
}

/// One run and its misfortunes, drawn from a seed.
struct Plan: Sendable {
    let seed: UInt64
    let workers: Int
    /// Processes at most: the first `workers` from the beginning, the others join.
    let slots: Int
    let shards: Int
    let steps: Int
    let checkpointEvery: Int
    let validateEvery: Int
    /// Shards are cut by speed.
    let balances: Bool
    /// Megabytes a second of the links between hosts, by the one they lead from and the one they
    /// lead to; empty where they don't matter.
    let linkRates: [[Double]]
    let faults: [(time: Int64, fault: Fault)]
    let canary: Canary?
    let deadlines = Deadlines(peerTimeout: Milliseconds(1_000))

    /// Faults begin and end before this moment, in microseconds.
    let horizon: Int64
    /// The run must be finished this long after the horizon.
    static let patience: Int64 = 60_000_000

    init(seed: UInt64, canary: Canary?) {
        var random = RandomStream(seed: seed)
        self.seed = seed
        self.canary = canary
        horizon = 8_000_000
        workers = random.number(1...5)
        slots = workers + random.number(0...2)
        shards = random.number(workers...8)
        steps = random.number(5...40)
        checkpointEvery = random.number(0...7)
        validateEvery = random.chance(30) ? random.number(2...7) : 0
        var faults: [(time: Int64, fault: Fault)] = []
        for slot in workers..<slots {
            faults.append((Int64(random.number(0...2_000_000)), .join(slot: slot)))
        }
        // An undisturbed step takes about 50 ms: most faults fall into the run.
        for _ in 0..<random.number(1...12) {
            let time = Int64(random.number(10_000...100_000 * steps))
            faults.append((time, Self.fault(slots, &random)))
        }
        self.faults = faults
        balances = random.chance(50)
        let hosts = (slots + 1) / 2
        let isSlow = random.chance(50)
        linkRates = (0..<hosts).map { _ in
            (0..<hosts).map { _ in isSlow && random.chance(30) ? 1 : 10 }
        }
    }

    /// A run of some workers that nothing befalls but what is put in later.
    init(undisturbed seed: UInt64) {
        var random = RandomStream(seed: seed)
        self.seed = seed
        canary = nil
        horizon = 30_000_000
        workers = random.number(3...5)
        slots = workers
        shards = random.number(workers...8)
        steps = 100
        checkpointEvery = 0
        validateEvery = 0
        faults = []
        balances = false
        linkRates = []
    }

    private static func fault(_ slots: Int, _ random: inout RandomStream) -> Fault {
        let slot = random.number(0...slots - 1)
        var time = random.chance(50) ? random.number(1_000...400_000) : random.number(1...3_000_000)
        // The first worker stays, so that somebody can end the run.
        if slot > 0 && random.chance(12) { time = Fault.forGood }
        switch random.number(0...99) {
        case ..<18: return .killWorker(slot: slot)
        case ..<21: return .flipBit(slot: slot, bit: random.number(0...255))
        case ..<23: return .endWorker(slot: slot)
        case ..<27: return .hangWorker(slot: slot, time: max(time, 500_000))
        case ..<35: return .stopWorker(slot: slot, time: time)
        case ..<40: return .dropConnection(slot: slot)
        case ..<42: return .changeToken
        case ..<52:
            let ways: [Fault.Ways] = [.up, .down, .both]
            return .cutControl(slot: slot, ways[random.number(0...2)], time: time)
        case ..<60:
            return .cutRing(from: slot, to: random.number(0...slots - 1), time: time)
        case ..<66: return .dropRing(slot: slot)
        case ..<82:
            return .killCoordinator(
                afterActions: random.number(1...40), losingPower: random.chance(40))
        case ..<88: return .stopCoordinator(time: min(time, 3_000_000))
        case ..<93: return .failDisk(time: min(time, 3_000_000))
        case ..<96: return .stopRun
        default: return .killEverything(losingPower: random.chance(50))
        }
    }

    var countsStaleFrames: Bool { canary == .countsStaleFrames }
    var forgetsLines: Bool { canary == .forgetsLines }
    var keepsOldGradients: Bool { canary == .keepsOldGradients }
    var trustsMemory: Bool { canary == .trustsMemory }
    var forgetsToSynchronize: Bool { canary == .forgetsToSynchronize }

    func policy(epoch: UInt32) -> CoordinatorPolicy {
        var policy = CoordinatorPolicy(
            run: .init(number: 1, epoch: epoch, software: "toy", configuration: []),
            gathering: .init(workers: workers), shards: shards, steps: steps,
            deadlines: deadlines)
        policy.checkpoints.every = checkpointEvery
        policy.validation = .init(every: validateEvery, batches: validateEvery > 0 ? 2 : 0)
        policy.ring.balance = balances
        policy.gathering.grace = Milliseconds(500)
        policy.pieceElements = ToyModel.pieceElements
        return policy
    }
}
