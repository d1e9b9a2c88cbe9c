import Foundation
import Kernels
import Messaging
import Model
import Parameters
import Processes
import Resources
import Settings
import Wire

/// Finds out whether a worker on this host would work with a coordinator and its other workers.
package final class Examination {
    let call: CoordinatorCall
    let network: NetworkChoices
    let software: String
    let report: (Finding) -> Void
    var facts: RunFacts?

    package init(
        _ coordinator: Address, _ access: Access, network: NetworkChoices, software: String,
        report: @escaping (Finding) -> Void
    ) {
        call = CoordinatorCall(coordinator, access)
        self.network = network
        self.software = software
        self.report = report
    }

    /// Reports one thing after the other; what can't be found out behind an obstacle is left out.
    ///
    /// Throws: what is wrong with the token, `MessagingError`.
    package func run() throws {
        if let address = reach(), let conversation = try converse(at: address) {
            try time(conversation)
            try LinkSurvey(self, conversation, at: address)?.run()
        }
        examineHost()
    }

    // MARK: the way to the coordinator

    /// The coordinator's address that answers.
    private func reach() -> IPAddress? {
        let coordinator = call.coordinator
        let addresses: [IPAddress]
        do {
            addresses = try coordinator.candidates()
        } catch .unknownHost(let host, let reason) {
            report(.nameUnknown(host: host, reason: reason))
            return nil
        } catch {
            report(.nameUnknown(host: coordinator.host, reason: plainWords(error)))
            return nil
        }
        report(.name(host: coordinator.host, addresses))
        var obstacles: [Finding] = []
        for address in addresses {
            guard let source = Route.source(towards: address) else {
                obstacles.append(.noRoute(to: address))
                continue
            }
            do throws(LinkTrial.Failure) {
                let seconds = try LinkTrial.knock(
                    address, port: coordinator.port, patience: .seconds(5))
                report(.route(to: address, source: source, interface: Self.interface(of: source)))
                report(.port(address, port: coordinator.port, seconds: seconds))
                return address
            } catch {
                obstacles.append(.portClosed(address, port: coordinator.port, code: error.code))
            }
        }
        for obstacle in obstacles { report(obstacle) }
        return nil
    }

    private static func interface(of address: IPAddress) -> String {
        Route.interfaces.first { Route.addresses(ofInterface: $0).contains(address) } ?? "?"
    }

    private func converse(at address: IPAddress) throws -> CoordinatorConversation? {
        let conversation = try CoordinatorConversation(call, at: address)
        do {
            let facts = try conversation.facts()
            self.facts = facts
            report(.handshake(encrypted: !call.access.isPlain))
            guard facts.software == software else {
                report(.otherVersion(theirs: facts.software, ours: software))
                return nil
            }
            report(.version(software))
            return conversation
        } catch let failure as CoordinatorCall.Failure {
            if case .otherProtocol(_, let theirs, let ours) = failure {
                report(.handshake(encrypted: !call.access.isPlain))
                report(.otherVersion(theirs: "protocol \(theirs)", ours: "protocol \(ours)"))
            } else {
                report(.handshakeFailed(failure))
            }
            return nil
        }
    }

    // MARK: time and bandwidth

    private func time(_ conversation: CoordinatorConversation) throws {
        var turns: [(seconds: Double, ahead: Double)] = []
        for _ in 0..<20 {
            let sent = Date().timeIntervalSince1970
            let (seconds, theirs) = try sample(conversation, sending: 0, wanting: 0)
            turns.append((seconds, theirs - (sent + seconds / 2)))
        }
        turns.sort { $0.seconds < $1.seconds }
        let (median, shortest) = (turns[turns.count / 2].seconds, turns[0])
        report(.clock(ahead: shortest.ahead, uncertainty: shortest.seconds / 2))
        report(.roundTrip(median: median, longest: turns[turns.count - 1].seconds))
        report(
            .bandwidth(
                there: try rate(shortest.seconds) { try sample(conversation, sending: $0).seconds },
                back: try rate(shortest.seconds) { try sample(conversation, wanting: $0).seconds }))
    }

    /// Bytes a second: samples grow until they take a while, then several count.
    private func rate(_ turn: Double, _ sample: (Int) throws -> Double) throws -> Double {
        var size = 64 << 10
        _ = try sample(size)
        while size < DoctorMessage.sampleLimit, try sample(size) < 0.1 { size *= 4 }
        var (bytes, seconds) = (0, 0.0)
        while seconds < 0.25 {
            seconds += max(1e-6, try sample(size) - turn)
            bytes += size
        }
        return Double(bytes) / seconds
    }

    private func sample(
        _ conversation: CoordinatorConversation, sending: Int = 0, wanting: Int = 0
    ) throws -> (seconds: Double, theirs: Double) {
        let payload = [UInt8](repeating: 0, count: sending)
        let begun = ContinuousClock.now
        let time = try conversation.ask(
            .sample(wanted: wanting, payload: payload), seconds: 60
        ) { answer -> UInt64? in
            guard case .sampled(let time, _) = answer else { return nil }
            return time
        }
        return ((ContinuousClock.now - begun) / .seconds(1), Double(time) / 1e9)
    }

    // MARK: this host

    private func examineHost() {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            report(.files(limit: Int(clamping: limit.rlim_cur)))
        }
        report(.memory(available: HostMemory.available(), needed: facts.map(Self.memoryNeeded)))
        report(
            .processor(
                missing: Processor.requirement(),
                cores: Processors.usable.count))
        let probe = arithmeticProbe()
        let ours = probe.description
        guard let worker = facts?.workers.first else { return }
        if worker.arithmetic == ours {
            report(.arithmetic(kernel: Instructions.chosen.rawValue))
        } else {
            report(
                .otherArithmetic(
                    worker: worker.name, kernel: worker.kernel, ours: Instructions.chosen.rawValue))
        }
    }

    /// θ, m, v, the total, a gradient for each own shard; a snapshot copies three of them.
    private static func memoryNeeded(_ facts: RunFacts) -> Int {
        let workers = facts.workers.count + 1
        let own = (facts.shards + workers - 1) / workers
        return 4 * facts.parameters * (7 + own)
    }
}
