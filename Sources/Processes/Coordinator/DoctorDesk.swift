import Coordination
import Foundation
import Messaging
import Ring
import Wire

/// What a coordinator does for `doctor`; training goes on meanwhile.
struct DoctorDesk {
    /// What there is to know of the run, but for its workers.
    private let facts: RunFacts
    private let door: Door
    private var trials = LinkTrials()

    init(_ setup: CoordinatorSetup, at door: Door) {
        let cluster = setup.configuration.cluster
        facts = RunFacts(
            software: setup.policy.run.software, parameters: setup.parameterCount,
            shards: setup.policy.shards, workers: [], collective: cluster.collective,
            wire: cluster.wire)
        self.door = door
    }

    /// Answers a doctor; `company`: the run's workers.
    mutating func answer(
        _ payload: [UInt8], _ asker: [UInt8], _ company: [Coordinator.Companion]
    ) {
        switch try? DoctorMessage(decoding: payload) {
        case .aboutRun:
            guard let json = try? JSONEncoder().encode(facts(company)) else { return }
            reply(.run(Array(json)), to: asker)
        case .sample(let wanted, _):
            let time = UInt64(max(0, Date().timeIntervalSince1970) * 1e9)
            let payload = [UInt8](repeating: 0, count: wanted)
            reply(.sampled(time: time, payload: payload), to: asker)
        case .listen(let number, let worker):
            let peer = company.first { $0.name == worker }?.id
            order(.listen(number: number), peer, number, asker)
        case .attempt(var attempt, let worker):
            let peer = company.first { $0.name == worker }?.id
            if let peer { attempt.endpoint = door.placed(attempt.endpoint, for: peer) }
            order(.attempt(attempt), peer, attempt.number, asker)
        default: break
        }
    }

    private func reply(_ message: DoctorMessage, to asker: [UInt8]) {
        door.reply(message.encoded, to: asker)
    }

    private mutating func order(
        _ message: LinkMessage, _ peer: PeerID?, _ number: UInt64, _ asker: [UInt8]
    ) {
        guard let peer, trials.begin(number, of: peer, for: asker),
            door.reply(message.encoded, to: peer.identity)
        else { return reply(.noWorker(number: number), to: asker) }
    }

    /// A worker's answer goes to who asked for it.
    mutating func takeLink(
        _ payload: [UInt8], from peer: PeerID, _ company: [Coordinator.Companion]
    ) {
        switch try? LinkMessage(decoding: payload) {
        case .listening(let number, let port):
            guard let asker = trials.end(number, by: peer) else { return }
            let ring = company.first { $0.id == peer }?.hello.address.tcp ?? ""
            reply(.listening(number: number, endpoint: ring, port: port), to: asker)
        case .attempted(let number, let report):
            guard let asker = trials.end(number, by: peer) else { return }
            reply(.attempted(number: number, report), to: asker)
        default: break
        }
    }

    private func facts(_ company: [Coordinator.Companion]) -> RunFacts {
        var facts = facts
        facts.workers = company.map {
            RunFacts.Worker(
                name: $0.name, host: $0.hello.address.hostName,
                hostKey: $0.hello.address.hostKey, ring: $0.hello.address.tcp,
                kernel: $0.hello.kernel, arithmetic: $0.hello.probe.description)
        }
        return facts
    }
}

/// Ways between hosts that are being tried, by number.
private struct LinkTrials {
    private struct Entry {
        let asker: [UInt8]
        let worker: PeerID
        let since: ContinuousClock.Instant
    }

    private var entries: [UInt64: Entry] = [:]

    /// How many at once, and how long one may take.
    private static let limit = 64
    private static let patience = Duration.seconds(60)

    /// False if there are too many.
    mutating func begin(_ number: UInt64, of worker: PeerID, for asker: [UInt8]) -> Bool {
        let now = ContinuousClock.now
        if entries.count >= Self.limit {
            entries = entries.filter { now - $0.value.since < Self.patience }
        }
        guard entries.count < Self.limit else { return false }
        entries[number] = Entry(asker: asker, worker: worker, since: now)
        return true
    }

    /// Who asked; nil unless this worker was asked under that number.
    mutating func end(_ number: UInt64, by worker: PeerID) -> [UInt8]? {
        guard let entry = entries[number], entry.worker == worker else { return nil }
        entries[number] = nil
        return entry.asker
    }
}
