import Foundation
import Resources
import Simulation
import Synchronization
import Words

/// What `simulate` was asked.
struct SimulateRequest {
    let seeds: ClosedRange<Int>
    /// A mistake that is switched on and must be found.
    let canary: Canary?
    let threads: Int
    let json: Bool
}

/// `simulate`.
extension Entry {
    static func simulate(_ request: SimulateRequest) throws {
        let terminal = Terminal(isQuiet: false)
        let began = ContinuousClock.now
        let sweep = SeedSweep(request.seeds, canary: request.canary)
        try sweep.start(threads: request.threads)
        var isDone = false
        var nextLine = 10.0
        while !isDone {
            isDone = sweep.waitForEnd(seconds: terminal.isLive ? 0.2 : 1)
            let state = sweep.state
            for report in sweep.takeNewViolations() where request.canary == nil {
                terminal.warn(sentence(of: report, request.canary))
            }
            let seconds = began.duration(to: .now) / .seconds(1)
            guard !isDone, state.done > 0 else { continue }
            let line =
                "\(grouped(state.done)) of \(grouped(request.seeds.count)) seeds  "
                + "\(state.violations.count) failed  "
                + "\(span(seconds / Double(state.done) * Double(request.seeds.count - state.done)))"
                + " left"
            if terminal.isLive {
                terminal.show(line)
            } else if seconds >= nextLine {
                terminal.say(line)
                nextLine += 10
            }
        }
        terminal.finish()
        try conclude(request, sweep.state, seconds: began.duration(to: .now) / .seconds(1))
    }

    private static func conclude(
        _ request: SimulateRequest, _ state: SeedSweep.State, seconds: Double
    ) throws {
        let failed = state.violations.sorted { $0.seed < $1.seed }
        if request.json {
            try StandardOutput.write(json: SimulationReport(request, state, failed, seconds))
        }
        let seeds = "\(grouped(state.done)) seeds"
        let turmoil =
            "\(grouped(state.faults)) faults, \(grouped(state.coordinators)) coordinators, "
            + (seconds < 10 ? "\(fixed(seconds, 1)) s" : span(seconds))
        let first = failed.first
        switch (request.canary, first) {
        case (nil, nil):
            if state.done >= Simulator.campaign, let branch = state.unmet.first {
                throw Failure(
                    .other,
                    "\(seeds) ended well, but \(state.unmet.count) branches were never met, the first "
                        + "is: \(branch.rawValue)")
            }
            guard !request.json else { return }
            try StandardOutput.write(
                "\(seeds) ended with the undisturbed run's bits (\(turmoil); the longest, seed "
                    + "\(state.slowest.seed), took \(fixed(state.slowest.seconds, 1)) s of its own "
                    + "clock; rarest of \(RareBranch.allCases.count) branches: "
                    + "\(state.rarest.branch.rawValue), \(grouped(state.rarest.times)) times)\n")
        case (nil, let first?):
            throw Failure(
                .other,
                "\(failed.count) of \(seeds) failed (\(turmoil)), the first is "
                    + sentence(of: first, nil))
        case (let canary?, nil):
            throw Failure(
                .other,
                "none of \(seeds) found \(canary.name): the simulator does not see what it should")
        case (let canary?, let first?):
            guard !request.json else { return }
            try StandardOutput.write(
                "\(canary.name) is found by " + sentence(of: first, canary) + "\n")
        }
    }

    /// Runs one seed and prints its trace.
    static func trace(seed: UInt64, _ canary: Canary?, json: Bool) throws {
        let report = Simulator.run(seed: seed, canary: canary, tracing: true)
        if json {
            try StandardOutput.write(json: TraceReport(report))
        } else {
            let end = report.violation.map { "VIOLATION \($0)" } ?? "ended as it must"
            try StandardOutput.write((report.trace + [end]).joined(separator: "\n") + "\n")
        }
        if let violation = report.violation {
            if canary == nil { throw Failure(.other, "seed \(seed): \(violation)") }
        } else if let canary {
            throw Failure(.other, "seed \(seed) does not find \(canary.name)")
        }
    }

    private static func sentence(of report: Simulator.Report, _ canary: Canary?) -> String {
        let more = canary.map { " --canary \($0.name)" } ?? ""
        return "seed \(report.seed): \(report.violation ?? "nothing"); "
            + "'dtrain simulate --trace \(report.seed)\(more)' replays it and prints its trace"
    }
}

/// Seeds that threads take one after another.
private final class SeedSweep: Sendable {
    struct State {
        var next: Int
        var done = 0
        var faults = 0
        var coordinators = 0
        var slowest = (seed: UInt64(0), seconds: 0.0)
        var violations: [Simulator.Report] = []
        var told = 0
        /// How often each rare branch was met.
        var met: [RareBranch: Int] = [:]

        var unmet: [RareBranch] { RareBranch.allCases.filter { met[$0, default: 0] == 0 } }
        var rarest: (branch: RareBranch, times: Int) {
            RareBranch.allCases.map { ($0, met[$0, default: 0]) }.min { $0.1 < $1.1 }!
        }
    }

    private let seeds: ClosedRange<Int>
    private let canary: Canary?
    private let shared: Mutex<State>
    private let group = DispatchGroup()

    init(_ seeds: ClosedRange<Int>, canary: Canary?) {
        self.seeds = seeds
        self.canary = canary
        shared = Mutex(State(next: seeds.lowerBound))
    }

    var state: State { shared.withLock { $0 } }

    func start(threads: Int) throws(ResourceError) {
        for _ in 0..<min(threads, seeds.count) {
            group.enter()
            try startThread("simulation") { [self] in
                while let seed = take() {
                    note(Simulator.run(seed: UInt64(seed), canary: canary))
                }
                group.leave()
            }
        }
    }

    /// Whether all are done before so many seconds have passed.
    func waitForEnd(seconds: Double) -> Bool {
        group.wait(timeout: .now() + seconds) == .success
    }

    /// Those that have not been taken yet.
    func takeNewViolations() -> [Simulator.Report] {
        shared.withLock { state in
            let new = Array(state.violations[state.told...])
            state.told = state.violations.count
            return new
        }
    }

    private func take() -> Int? {
        shared.withLock { state in
            guard state.next <= seeds.upperBound else { return nil }
            // A known mistake is to be found once; all seeds below the one that found it are done.
            if canary != nil && !state.violations.isEmpty { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    private func note(_ report: Simulator.Report) {
        shared.withLock { state in
            state.done += 1
            state.faults += report.faults
            state.coordinators += report.coordinators
            if report.seconds > state.slowest.seconds {
                state.slowest = (report.seed, report.seconds)
            }
            state.met.merge(report.met, uniquingKeysWith: +)
            if report.violation != nil { state.violations.append(report) }
        }
    }
}

/// The line of JSON about many seeds.
private struct SimulationReport: Encodable {
    struct Failed: Encodable {
        let seed: UInt64
        let violation: String
    }

    let first, last, seeds, faults, coordinators: Int
    let canary: String?
    let failed: [Failed]
    let slowestSeed: UInt64
    let slowestSeconds, seconds: Double
    let rare: [String: Int]

    enum CodingKeys: String, CodingKey {
        case first, last, seeds, faults, coordinators, canary, failed, rare
        case slowestSeed = "slowest_seed"
        case slowestSeconds = "slowest_s"
        case seconds = "s"
    }

    init(
        _ request: SimulateRequest, _ state: SeedSweep.State, _ violations: [Simulator.Report],
        _ seconds: Double
    ) {
        first = request.seeds.lowerBound
        last = request.seeds.upperBound
        seeds = state.done
        faults = state.faults
        coordinators = state.coordinators
        canary = request.canary?.name
        failed = violations.map { Failed(seed: $0.seed, violation: $0.violation ?? "") }
        slowestSeed = state.slowest.seed
        slowestSeconds = state.slowest.seconds
        self.seconds = seconds
        rare = Dictionary(
            uniqueKeysWithValues: RareBranch.allCases.map {
                ($0.rawValue, state.met[$0, default: 0])
            })
    }
}

/// The line of JSON about one seed.
private struct TraceReport: Encodable {
    let seed: UInt64
    let violation: String?
    let seconds: Double
    let trace: [String]

    init(_ report: Simulator.Report) {
        seed = report.seed
        violation = report.violation
        seconds = report.seconds
        trace = report.trace
    }
}
