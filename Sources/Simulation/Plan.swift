import Coordination
import Ring
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

    /// What must be switched on for it.
    var feature: Feature {
        switch self {
        case .killWorker: .killsWorkers
        case .stopWorker: .stopsWorkers
        case .hangWorker: .hangsWorkers
        case .endWorker: .endsWorkers
        case .dropConnection: .dropsConnections
        case .cutControl: .cutsControl
        case .cutRing: .cutsRing
        case .dropRing: .dropsRing
        case .join: .joins
        case .killCoordinator: .killsCoordinator
        case .stopCoordinator: .stopsCoordinator
        case .failDisk: .failsDisk
        case .flipBit: .flipsBits
        case .stopRun: .stopsRun
        case .changeToken: .changesToken
        case .killEverything: .killsEverything
        }
    }

    /// Whether it befalls one worker or its links.
    var befallsWorker: Bool {
        switch self {
        case .killCoordinator, .stopCoordinator, .failDisk, .stopRun, .changeToken, .join: false
        default: true
        }
    }

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
///
/// It can never produce: more than 7 processes, 8 shards, 40 steps or 12 faults; two hosts apart in
/// more than the rate of a link; the textbook ring, whose bits depend on the number of workers;
/// gradients that are not finite; links through the coordinator; a coordinator whose files somebody
/// else writes; two faults at the same microsecond in the same process.
struct Plan: Sendable {
    let seed: UInt64
    let features: Set<Feature>
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
    /// Elements of a chunk, and chunks that may be under way.
    let chunkElements: Int
    let window: Int
    /// The format that sums are rounded to.
    let wire: WireFormat
    let deadlines = Deadlines(peerTimeout: Milliseconds(1_000))

    /// Faults begin and end before this moment, in microseconds.
    let horizon: Int64
    /// The run must be finished this long after the horizon.
    static let patience: Int64 = 60_000_000

    init(seed: UInt64, canary: Canary?) {
        var random = RandomStream(seed: seed)
        self.seed = seed
        self.canary = canary
        let features = Set(
            Feature.allCases.shuffled(using: &random).prefix(Feature.allCases.count / 2))
        self.features = features
        horizon = 8_000_000
        chunkElements = random.number(2...ToyModel.count)
        window = random.number(1...4)
        wire = features.contains(.rounds) ? WireFormat.allCases[random.number(0...2)] : .f32
        workers = random.number(1...5)
        slots = workers + (features.contains(.joins) ? random.number(1...2) : 0)
        shards = random.number(workers...8)
        steps = random.number(5...40)
        checkpointEvery = features.contains(.checkpoints) ? random.number(1...7) : 0
        validateEvery = features.contains(.validates) ? random.number(2...7) : 0
        var faults: [(time: Int64, fault: Fault)] = []
        for slot in workers..<slots {
            faults.append((Int64(random.number(0...2_000_000)), .join(slot: slot)))
        }
        // An undisturbed step takes about 50 ms: most faults fall into the run.
        for _ in 0..<random.number(1...12) {
            let time = Int64(random.number(10_000...100_000 * steps))
            if let fault = Self.fault(slots, features, &random) { faults.append((time, fault)) }
        }
        self.faults = faults
        balances = features.contains(.balances)
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
        features = [.repeatsFrames, .delays]
        chunkElements = 3
        window = 8
        wire = .f32
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

    func has(_ feature: Feature) -> Bool { features.contains(feature) }

    /// Whether the ring's network may do what no link does, so that its members must find out.
    var hasUnsoundLinks: Bool {
        has(.losesFrames) || has(.altersFrames) || has(.overtakes) || has(.misroutes)
    }

    /// The number of a worker's host: two workers share one, or all do.
    func host(of slot: Int) -> Int { has(.sumsInPlace) ? 0 : slot / 2 }

    /// Whether a worker reads what its predecessor sends in the predecessor's memory.
    func readsMemory(from slot: Int, of predecessor: Int) -> Bool {
        has(.sharesMemory) && host(of: slot) == host(of: predecessor)
    }

    /// One that is switched on, or none.
    ///
    /// It can never produce: a fault of the first worker for good, so that somebody can end the run;
    /// a disk that returns other bytes than were written; a coordinator that changes by itself.
    private static func fault(
        _ slots: Int, _ features: Set<Feature>, _ random: inout RandomStream
    ) -> Fault? {
        for _ in 0..<20 {
            let fault = fault(slots, lasting: features.contains(.lastsForGood), &random)
            if features.contains(fault.feature) { return fault }
        }
        return nil
    }

    private static func fault(
        _ slots: Int, lasting: Bool, _ random: inout RandomStream
    ) -> Fault {
        let slot = random.number(0...slots - 1)
        var time = random.chance(50) ? random.number(1_000...400_000) : random.number(1...3_000_000)
        // The first worker stays, so that somebody can end the run.
        if lasting && slot > 0 && random.chance(12) { time = Fault.forGood }
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
        policy.ring.sumsInPlace = has(.sumsInPlace)
        return policy
    }
}
