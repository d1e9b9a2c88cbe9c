import Coordination
import Parameters
import Simulation
import Testing
import Wire

/// A worker's session that is spoken to line by line; what it does is written down beneath.
struct WorkerScenario {
    var session = WorkerSession(deadlines: Deadlines(peerTimeout: Milliseconds(1_000)))
    private(set) var lines: [String] = []
    private var now = Instant(nanoseconds: 0)

    mutating func trace() -> String {
        defer { lines = [] }
        return lines.joined(separator: "\n")
    }

    mutating func event(_ what: String, _ event: WorkerEvent) {
        lines.append(what)
        for action in session.receive(event, at: now) { lines.append("  " + action.brief) }
    }

    mutating func hears(_ message: CoordinatorMessage) { event(message.brief, .received(message)) }

    mutating func ticks(after milliseconds: Int64) {
        now = now + Milliseconds(milliseconds)
        event("\(milliseconds) ms later", .tick(WorkProgress(count: 0)))
    }

    static let digest = FastDigest(high: 7, low: 0)

    mutating func welcome(epoch: UInt32 = 1, run: UInt64 = 1) {
        hears(
            .welcome(
                Welcome(
                    run: run, epoch: epoch, name: "w1", peerTimeoutMilliseconds: 1_000,
                    configuration: [])))
    }

    mutating func roster(_ counter: UInt32, committed: Int) {
        hears(
            .roster(
                Roster(
                    generation: Generation(epoch: 1, counter: counter), committed: committed,
                    rank: 0, bounds: [0, 1], names: ["w1"], successor: nil)))
    }

    mutating func step(_ step: Int, _ counter: UInt32) {
        hears(
            .step(
                StepOrder(
                    generation: Generation(epoch: 1, counter: counter), step: step,
                    learningRate: 0, labels: 1, shards: [ShardWords(shard: 0, words: [])])))
    }

    mutating func commit(_ step: Int, total: FastDigest = digest) {
        hears(
            .commit(
                Commit(
                    CommittedLine(
                        generation: Generation(epoch: 1, counter: 1), step: step, total: total,
                        state: Self.digest, loss: 1, skipped: false), durable: 0)))
    }

    mutating func folded(_ step: Int, _ counter: UInt32) {
        event(
            "folded \(step)",
            .reports(
                .voted(
                    Vote(
                        generation: Generation(epoch: 1, counter: counter), step: step,
                        total: Self.digest, state: Self.digest, squaredNorm: 1,
                        nonFiniteShards: [], reports: [], compute: WorkerSpan(begin: 0, end: 0),
                        fold: WorkerSpan(begin: 0, end: 0)))))
    }

    mutating func updated(_ step: Int) {
        let held = HeldState(step: step, digest: Self.digest)
        event("updated \(step)", .reports(.updated(Update(held))))
    }

    /// Holds the state of step 0, is a member of ring 1.1 and has voted on step 1.
    mutating func voteOnce() {
        welcome()
        event("built", .built)
        hears(.initialise)
        event("initialised", .initialised(Self.digest))
        hears(.proven(step: 0))
        roster(1, committed: 0)
        event("formed", .reports(.formed(Generation(epoch: 1, counter: 1))))
        step(1, 1)
        folded(1, 1)
        lines = []
    }
}

/// What a worker does with orders in and out of season.
@Suite struct WorkerScenarios {
    @Test func `from the welcome to the first update`() {
        var s = WorkerScenario()
        s.welcome()
        s.event("built", .built)
        s.hears(.initialise)
        s.event("initialised", .initialised(WorkerScenario.digest))
        s.hears(.proven(step: 0))
        s.roster(1, committed: 0)
        s.event("formed", .reports(.formed(Generation(epoch: 1, counter: 1))))
        s.step(1, 1)
        s.event("computed", .computed(step: 1))
        s.folded(1, 1)
        s.commit(1)
        #expect(
            s.trace() == """
                welcome w1
                  note welcomed(name: "w1", run: 1)
                  obey welcome w1
                built
                  → prepared holds nothing
                initialise
                  obey initialise
                initialised
                  → state ready 0
                state 0 is right
                roster 1.1 after 0: w1 of w1, shards 0..<1
                  obey roster 1.1 after 0: w1 of w1, shards 0..<1
                  note formed(1.1, rank: 0, members: 1, shards: Range(0..<1))
                formed
                  → formed 1.1
                step 1 in 1.1 on 0
                  obey step 1 in 1.1 on 0
                computed
                folded 1
                  → vote 1.1 step 1 on shards \("")
                commit 1
                  update 1
                """)
    }

    @Test func `orders wait for the end of an update, and a newer ring replaces an older`() {
        var s = WorkerScenario()
        s.voteOnce()
        s.commit(1)
        s.step(2, 1)
        s.roster(2, committed: 1)
        s.roster(3, committed: 1)
        s.updated(1)
        #expect(
            s.trace() == """
                commit 1
                  update 1
                step 2 in 1.1 on 0
                roster 1.2 after 1: w1 of w1, shards 0..<1
                roster 1.3 after 1: w1 of w1, shards 0..<1
                updated 1
                  → updated 1
                  obey roster 1.3 after 1: w1 of w1, shards 0..<1
                  note formed(1.3, rank: 0, members: 1, shards: Range(0..<1))
                """)
    }

    @Test func `a commit that was lost with the connection is taken later`() {
        var s = WorkerScenario()
        s.voteOnce()
        s.event("disconnected", .disconnected)
        s.welcome()
        s.commit(1)
        s.updated(1)
        s.commit(1)
        #expect(
            s.trace() == """
                disconnected
                  note coordinatorLost
                  abandon step
                  abandon capture
                  reconnect
                welcome w1
                  note welcomed(name: "w1", run: 1)
                  → prepared holds 0, folded 1
                commit 1
                  update 1
                updated 1
                  → updated 1
                commit 1
                """)
        #expect(s.session.holds == 1)
    }

    @Test func `a commit of another total or step is not followed`() {
        var s = WorkerScenario()
        s.voteOnce()
        s.commit(1, total: FastDigest(high: 8, low: 0))
        s.commit(2)
        #expect(
            s.trace() == """
                commit 1
                  → prepared holds 0, folded 1
                commit 2
                  → prepared holds 0, folded 1
                """)
    }

    @Test func `an update that ends after the connection is told to the next coordinator`() {
        var s = WorkerScenario()
        s.voteOnce()
        s.commit(1)
        s.event("disconnected", .disconnected)
        s.welcome(epoch: 2)
        s.updated(1)
        #expect(
            s.trace() == """
                commit 1
                  update 1
                disconnected
                  note coordinatorLost
                  abandon step
                  abandon capture
                  reconnect
                welcome w1
                updated 1
                  note welcomed(name: "w1", run: 1)
                  → prepared holds 1, lines 1...1
                """)
    }

    @Test func `what does not fit the state in memory is answered with what is there`() {
        var s = WorkerScenario()
        s.voteOnce()
        s.roster(2, committed: 4)
        s.hears(.snapshot(step: 4))
        s.hears(.evaluate(EvaluationOrder(step: 4, batch: 0, shards: [])))
        s.step(9, 7)
        s.roster(1, committed: 0)
        #expect(
            s.trace() == """
                roster 1.2 after 4: w1 of w1, shards 0..<1
                  → prepared holds 0, folded 1
                give the state of 4
                  → prepared holds 0, folded 1
                evaluate 4 batch 0
                  → prepared holds 0, folded 1
                step 9 in 1.7 on 0
                  note ignored("a step of another ring")
                roster 1.1 after 0: w1 of w1, shards 0..<1
                """)
    }

    @Test func `votes and breaks of an older ring are not passed on`() {
        var s = WorkerScenario()
        s.voteOnce()
        s.roster(2, committed: 0)
        _ = s.trace()
        s.folded(1, 1)
        s.event(
            "ring 1.1 broken",
            .reports(
                .ringBroken(Generation(epoch: 1, counter: 1), RingFault(.lost, .successor))))
        s.updated(7)
        #expect(s.trace() == "folded 1\nring 1.1 broken\nupdated 7")
        #expect(s.session.holds == 0)
    }

    @Test func `a silent coordinator is tried anew, also before its welcome`() {
        var s = WorkerScenario()
        s.ticks(after: 0)
        for _ in 0..<11 { s.ticks(after: 100) }
        #expect(s.trace().hasSuffix("100 ms later\n  abandon step\n  abandon capture\n  reconnect"))
        s.welcome()
        s.event("built", .built)
        _ = s.trace()
        for _ in 0..<11 { s.ticks(after: 100) }
        #expect(s.trace().contains("note coordinatorSilent(milliseconds: 1100)"))
    }

    @Test func `a worker that was stopped does not judge its coordinator by it`() {
        var s = WorkerScenario()
        s.voteOnce()
        s.ticks(after: 100)
        _ = s.trace()
        s.ticks(after: 60_000)
        #expect(!s.trace().contains("reconnect"))
        s.hears(.sayHello)
        #expect(s.trace().hasSuffix("reconnect"))
    }

    @Test func `an older epoch of the same run is not obeyed`() {
        var s = WorkerScenario()
        s.welcome(epoch: 3)
        s.event("built", .built)
        s.event("disconnected", .disconnected)
        _ = s.trace()
        s.welcome(epoch: 2)
        #expect(s.trace().contains("leave unfit"))
    }

    @Test func `orders that wait are bounded`() {
        var s = WorkerScenario()
        s.welcome()
        for _ in 0..<256 { s.hears(.initialise) }
        _ = s.trace()
        s.hears(.initialise)
        #expect(s.trace().hasSuffix("reconnect"))
    }

    @Test func `another run is built anew, and its predecessor's work counts no more`() {
        var s = WorkerScenario()
        s.voteOnce()
        s.event("disconnected", .disconnected)
        s.welcome(run: 2)
        s.updated(1)
        s.event("built", .built)
        #expect(s.trace().hasSuffix("updated 1\nbuilt\n  → prepared holds nothing"))
    }
}
