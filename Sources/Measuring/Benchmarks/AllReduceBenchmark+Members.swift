import Foundation
import Glibc
import Messaging
import Settings
import Threads

/// The processes of a benchmark: they end with it, whatever happens.
final class AllReduceMembers {
    private let router: RouterSocket
    private var poller = Poller()
    private let logs: TemporaryFolder
    private var processes: [(rank: Int, processID: pid_t)] = []
    private var identities: [[UInt8]]

    /// Starts `count` processes: `executable` with `arguments`, then endpoint, rank and settings.
    init(
        _ count: Int, context: Context, executable: String, arguments: [String], settings: [String]
    ) throws {
        var options = SocketOptions()
        options.waits.linger = .milliseconds(100)
        logs = try TemporaryFolder()
        router = try RouterSocket(context, options)
        let name = UInt64.random(in: 0 ... .max)
        let endpoint = try router.bind("ipc://@dtrain-bench-\(getpid())-\(name)")
        poller.add(router, for: .readable)
        identities = Array(repeating: [], count: count)
        for rank in 0..<count {
            let words = [executable] + arguments + [endpoint, "\(rank)"] + settings
            processes.append(
                (rank, try ChildProcess.start(words, executable: executable, log: log(of: rank))))
        }
    }

    deinit {
        for (_, processID) in processes {
            kill(processID, SIGKILL)
            var status: Int32 = 0
            waitpid(processID, &status, 0)
        }
    }

    private func log(of rank: Int) -> String { "\(logs.path)/member-\(rank).log" }

    // MARK: Conversation

    func tell(_ order: AllReduceBenchmark.Order) throws {
        let content = Array(try JSONEncoder().encode(order))
        for identity in identities { try router.send(to: identity, content) }
    }

    /// One report of each member, by rank.
    func collect<Value>(
        _ phase: String, within patience: Duration,
        _ accept: (AllReduceBenchmark.Report) -> (rank: Int, value: Value)?
    ) throws -> [Value] {
        let deadline = ContinuousClock.now + patience
        var values: [Value?] = Array(repeating: nil, count: processes.count)
        while values.contains(where: { $0 == nil }) {
            guard let (identity, _, payload) = try router.receive() else {
                try checkAlive()
                guard ContinuousClock.now < deadline else {
                    throw AllReduceBenchmark.Failure.timedOut(phase: phase)
                }
                _ = try poller.wait(until: min(deadline, .now + .milliseconds(200)))
                continue
            }
            let report = try JSONDecoder().decode(
                AllReduceBenchmark.Report.self, from: Data(payload))
            if case .failed(let rank, let message) = report {
                throw AllReduceBenchmark.Failure.failed(rank: rank, message: message)
            }
            guard let (rank, value) = accept(report), values.indices.contains(rank) else {
                continue
            }
            identities[rank] = identity
            values[rank] = value
        }
        return values.map { $0! }
    }

    private func checkAlive() throws {
        for (index, member) in processes.enumerated() {
            var status: Int32 = 0
            guard waitpid(member.processID, &status, WNOHANG) != 0 else { continue }
            processes.remove(at: index)
            throw AllReduceBenchmark.Failure.ended(
                rank: member.rank, ExitStatus(waitStatus: status),
                sentence: ChildProcess.lastSentence(in: log(of: member.rank)))
        }
    }

    /// Lets the members end by themselves.
    func end() throws {
        try tell(.end)
        for (_, processID) in processes {
            var status: Int32 = 0
            waitpid(processID, &status, 0)
        }
        processes = []
    }
}

extension AllReduceBenchmark {
    /// Starts the members, measures size after size, and ends them.
    ///
    /// - Parameters:
    ///   - executable: the program of the members; with `arguments` it must call
    ///     `runAllReduceMember` with whatever follows these.
    ///   - emit: gets each row as soon as it is measured.
    package func run(
        executable: String = "/proc/self/exe", arguments: [String], emit: (Row) throws -> Void
    ) throws {
        let context = try Context()
        let settings = String(decoding: try JSONEncoder().encode(memberSettings), as: UTF8.self)
        let members = try AllReduceMembers(
            workers, context: context, executable: executable, arguments: arguments,
            settings: [settings])
        let ready = try members.collect("starting", within: .seconds(30)) { report in
            if case .ready(let rank, let endpoints, let key) = report {
                (rank, (endpoints: endpoints, key: key))
            } else {
                nil
            }
        }
        try members.tell(
            .join(
                Membership(
                    endpoints: ready.map(\.endpoints), keys: ready.map(\.key),
                    transport: transport, collective: collective, run: .random(in: 0 ... .max))))
        let lanes = try members.collect("forming", within: .seconds(30)) { report in
            if case .formed(let rank, let lane) = report { (rank, lane) } else { nil }
        }
        let lane = Self.name(lanes)
        let probed = lane == Transport.tcp.rawValue ? try probe(members) : nil
        for bytes in sizes {
            try members.tell(
                .measure(
                    bytes: bytes, warmUp: Self.warmUp, iterations: Self.iterations(bytes)))
            let measurements = try members.collect("\(bytes) bytes", within: patience) { report in
                if case .measured(let rank, let measurement) = report {
                    (rank, measurement)
                } else {
                    nil
                }
            }
            try emit(row(bytes, lane, probe: probed, measurements))
        }
        try members.end()
    }

    /// What a member must know before it can bind.
    struct MemberSettings: Codable, Sendable {
        var chunkBytes: Int
        var credits: Int
        var ioThreads: Int
        var patienceSeconds: Double
        /// Bytes of the largest vector.
        var largest: Int
        var isSecure: Bool
        var streams: Bool
    }

    private var memberSettings: MemberSettings {
        MemberSettings(
            chunkBytes: ring.chunkBytes, credits: ring.credits, ioThreads: ioThreads,
            patienceSeconds: patience.seconds,
            largest: sizes.max() ?? 4, isSecure: isSecure, streams: ring.streams)
    }
}
