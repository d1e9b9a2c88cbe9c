import Foundation
import Messaging
import Processes
import Resources
import Synchronization
import Wire

/// Tries the ways between all workers, and between each and this host, one after the other.
struct LinkSurvey {
    private let examination: Examination
    private let conversation: CoordinatorConversation
    private let coordinator: IPAddress
    private let facts: RunFacts
    private let here: Finding.Link.End

    init?(
        _ examination: Examination, _ conversation: CoordinatorConversation, at address: IPAddress
    ) {
        guard let facts = examination.facts else { return nil }
        let identity = HostIdentity.current()
        self.examination = examination
        self.conversation = conversation
        coordinator = address
        self.facts = facts
        here = Finding.Link.End(name: "", host: identity.name, hostKey: identity.key)
    }

    /// How long a worker may take to try a way.
    private static let patience = 60

    func run() throws {
        let own =
            examination.network.relay
            ? nil : OwnListener(examination, coordinator: coordinator)
        defer { own?.stop() }
        guard !facts.workers.isEmpty else { return examination.report(.noWorkers) }
        // Their links go through the coordinator: there is nothing to knock at.
        let relayed = facts.workers.filter { RelayAddress.isEndpoint($0.ring) }
        for worker in relayed { examination.report(.relayed(end(worker))) }
        let workers = facts.workers.filter { !RelayAddress.isEndpoint($0.ring) }.map(end)
        // A rate is of two hosts, a port of a worker.
        var measured: Set<[String]> = []
        var links: [Finding.Link] = []
        if examination.network.relay { examination.report(.relayed(here)) }
        let ends = workers + (examination.network.relay ? [] : [here])
        for from in ends {
            for to in ends where from != to && (to != here || own != nil) {
                let isNew = measured.insert([from.hostKey, to.hostKey]).inserted
                let measures = isNew && from.hostKey != to.hostKey
                if let link = try link(from, to, own, measures: measures) { links.append(link) }
            }
        }
        links.judge()
        for link in links { examination.report(.link(link)) }
    }

    private func end(_ worker: RunFacts.Worker) -> Finding.Link.End {
        Finding.Link.End(name: worker.name, host: worker.host, hostKey: worker.hostKey)
    }

    /// Nil for a worker that has gone meanwhile, or a host that can't listen.
    private func link(
        _ from: Finding.Link.End, _ to: Finding.Link.End, _ own: OwnListener?, measures: Bool
    ) throws -> Finding.Link? {
        let attempt: LinkAttempt
        if to == here {
            guard let own else { return nil }
            attempt = own.attempt(measures: measures)
        } else {
            let number = UInt64.random(in: 1 ... .max)
            guard let place = try place(of: to, number, measures: measures) else { return nil }
            attempt = place
        }
        guard let report = try carryOut(attempt, from: from) else { return nil }
        return Finding.Link(
            from: from, to: to, endpoint: attempt.endpoint, report: report,
            foldSeconds: foldSeconds(from, to, rate: report.rate))
    }

    /// What a step's sums take over a link between hosts (Networks.md, "What a link carries"): in the
    /// ring as it is, or with a worker here where this host is one of the link's ends.
    private func foldSeconds(
        _ from: Finding.Link.End, _ to: Finding.Link.End, rate: Double
    ) -> Double? {
        guard rate > 0, let bytes = facts.linkBytes(more: from == here || to == here ? 1 : 0)
        else { return nil }
        return Double(bytes) / rate
    }

    /// Where a worker's ring is, and a port at which it serves the number if it is to.
    private func place(
        of worker: Finding.Link.End, _ number: UInt64, measures: Bool
    ) throws -> LinkAttempt? {
        guard measures else {
            let ring = facts.workers.first { $0.name == worker.name }?.ring ?? ""
            return LinkAttempt(number: number, endpoint: ring, port: 0)
        }
        return try conversation.ask(
            .listen(number: number, worker: worker.name), seconds: Self.patience
        ) { answer -> LinkAttempt?? in
            switch answer {
            case .listening(number, let endpoint, let port):
                .some(LinkAttempt(number: number, endpoint: endpoint, port: port))
            case .noWorker(number): .some(nil)
            default: nil
            }
        }
    }

    private func carryOut(
        _ attempt: LinkAttempt, from: Finding.Link.End
    ) throws -> LinkReport? {
        if from == here {
            var attempt = attempt
            attempt.endpoint = NetworkChoices.endpoint(attempt.endpoint, from: coordinator)
            return attempt.carriedOut()
        }
        return try conversation.ask(
            .attempt(attempt, worker: from.name), seconds: Self.patience
        ) { answer -> LinkReport?? in
            switch answer {
            case .attempted(attempt.number, let report): .some(report)
            case .noWorker(attempt.number): .some(nil)
            default: nil
            }
        }
    }
}

/// Listens as the ring of a worker on this host would.
private final class OwnListener: Sendable {
    private let listener: LinkListener
    private let endpoint: String
    private let isDone = Atomic(false)

    /// Nil, and reported, where a worker could not listen either.
    init?(_ examination: Examination, coordinator: IPAddress) {
        do {
            let addresses = try examination.network.listening()
            listener = try LinkListener(
                addresses, ports: examination.network.ringPorts,
                number: UInt64.random(in: 1 ... .max))
            let source = Route.source(towards: coordinator) ?? .loopback
            let host = examination.network.advertised(source, listening: addresses)
            endpoint = "tcp://\(host):\(listener.port)"
            try startThread("link listener") { [self] in
                while !isDone.load(ordering: .relaxed) {
                    listener.serve(until: .now + .seconds(60)) { !isDone.load(ordering: .relaxed) }
                }
            }
        } catch {
            examination.report(.cannotListen(error))
            return nil
        }
    }

    func stop() { isDone.store(true, ordering: .relaxed) }

    func attempt(measures: Bool) -> LinkAttempt {
        LinkAttempt(
            number: listener.number, endpoint: endpoint, port: measures ? listener.port : 0)
    }
}
