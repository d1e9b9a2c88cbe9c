import Coordination
import Testing
import Wire

/// From the order of a step to its commit.
@Suite struct StepScenarios {
    @Test func `two workers start from the seed and commit a step`() {
        var s = CoordinatorScenario()
        s.joins(1)
        s.joins(2)
        s.stateReady(1, step: 0)
        s.stateReady(2, step: 0)
        s.formed(1, 1, 2)
        s.bothVote(1, step: 1)
        #expect(
            s.trace() == """
                p1: hello 1
                  → p1 welcome w1
                  note joined(name: "w1", host: "h", processID: 1, threads: 1, waitingFor: 1)
                p1: prepared holds nothing
                p2: hello 2
                  → p2 welcome w2
                  note joined(name: "w2", host: "h", processID: 2, threads: 1, waitingFor: 0)
                p2: prepared holds nothing
                  → p1 new state 1
                  → p2 new state 1
                  → p1 initialise
                  → p2 initialise
                p1: state ready 0
                  → p1 state 0 is right
                p2: state ready 0
                  → p2 state 0 is right
                  note formed(1.1, members: ["w1", "w2"], bounds: [0, 2, 4])
                  → p1 roster 1.1 after 0: w1 of w1 w2, shards 0..<2
                  → p2 roster 1.1 after 0: w2 of w1 w2, shards 2..<4
                p1: formed 1.1
                p2: formed 1.1
                  → p1 step 1 in 1.1 on shards 0..<2
                  → p2 step 1 in 1.1 on shards 2..<4
                p1: vote 1.1 step 1 on shards 0 1
                p2: vote 1.1 step 1 on shards 2 3
                  record step 1 by 2 in 1.1
                  → p1 commit 1
                  → p2 commit 1
                  → p1 step 2 in 1.1 on shards 0..<2
                  → p2 step 2 in 1.1 on shards 2..<4
                """)
    }

    @Test func `a gradient that is not finite ends the run and names its shard`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.votes(1, 1, step: 1, 0..<2, total: 1, norm: .nan)
        s.votes(2, 1, step: 1, 2..<4, total: 2, norm: .infinity, nonFinite: [3])
        #expect(
            s.trace() == """
                p1: vote 1.1 step 1 on shards 0 1
                p2: vote 1.1 step 1 on shards 2 3
                  → p1 finish: step 1 is not finite
                  → p2 finish: step 1 is not finite
                  end nonFinite(step: 1, shards: [3])
                """)
    }

    @Test func `a gradient that is not finite is skipped where that is asked for`() {
        var s = CoordinatorScenario(change: { $0.onNonFinite = .skip })
        s.startTwo()
        s.votes(1, 1, step: 1, 0..<2, total: 1, norm: .nan)
        s.votes(2, 1, step: 1, 2..<4, total: 2, norm: .infinity, nonFinite: [3])
        #expect(
            s.trace() == """
                p1: vote 1.1 step 1 on shards 0 1
                p2: vote 1.1 step 1 on shards 2 3
                  note skipped(step: 1, shards: [3])
                  record step 1 skipped by 2 in 1.1
                  → p1 commit 1 skipped
                  → p2 commit 1 skipped
                  → p1 step 2 in 1.1 on shards 0..<2
                  → p2 step 2 in 1.1 on shards 2..<4
                """)
    }

    @Test func `a total that is not finite on one worker only is folded again`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.votes(1, 1, step: 1, 0..<2, total: 1, norm: .nan)
        s.votes(2, 1, step: 1, 2..<4, total: 2)
        #expect(
            s.trace() == """
                p1: vote 1.1 step 1 on shards 0 1
                p2: vote 1.1 step 1 on shards 2 3
                  note totalsDiffer(step: 1, names: ["w1", "w2"])
                  note formed(1.2, members: ["w1", "w2"], bounds: [0, 2, 4])
                  → p1 roster 1.2 after 0: w1 of w1 w2, shards 0..<2
                  → p2 roster 1.2 after 0: w2 of w1 w2, shards 2..<4
                """)
    }

    @Test func `who holds other parameters is named and takes them anew, NaN or not`() {
        var s = CoordinatorScenario(change: { $0.gathering.workers = 3 })
        s.joins(1)
        s.joins(2)
        s.joins(3)
        for peer: UInt64 in [1, 2, 3] { s.stateReady(peer, step: 0) }
        s.formed(1, 1, 2, 3)
        _ = s.trace()
        s.votes(1, 1, step: 1, 0..<1)
        s.votes(2, 1, step: 1, 1..<2, state: 6, norm: .nan, nonFinite: [1])
        s.votes(3, 1, step: 1, 2..<4)
        #expect(
            s.trace() == """
                p1: vote 1.1 step 1 on shards 0
                p2: vote 1.1 step 1 on shards 1
                p3: vote 1.1 step 1 on shards 2 3
                  note stateDiffers(step: 1, names: ["w2"])
                  note formed(1.2, members: ["w1", "w3"], bounds: [0, 2, 4])
                  → p1 roster 1.2 after 0: w1 of w1 w3, shards 0..<2
                  → p3 roster 1.2 after 0: w3 of w1 w3, shards 2..<4
                  → p2 new state 2
                  note teaching(name: "w2", step: 0)
                  → p1 give piece 0 of the state
                """)
    }

    @Test func `workers that keep disagreeing end the run`() {
        var s = CoordinatorScenario()
        s.startTwo()
        for ring: UInt32 in 1...4 {
            if ring > 1 { s.formed(ring, 1, 2) }
            s.votes(1, ring, step: 1, 0..<2, total: 1)
            if ring == 4 { _ = s.trace() }
            s.votes(2, ring, step: 1, 2..<4, total: 2)
        }
        #expect(
            s.trace() == """
                p2: vote 1.4 step 1 on shards 2 3
                  note totalsDiffer(step: 1, names: ["w1", "w2"])
                  → p1 finish: workers disagree on step 1
                  → p2 finish: workers disagree on step 1
                  end disagreement(step: 1, workers: ["w1", "w2"])
                """)
    }

    @Test func `a vote on shards of others is nonsense`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.votes(1, 1, step: 1, 2..<4)
        #expect(
            s.trace() == """
                p1: vote 1.1 step 1 on shards 2 3
                  forget p1
                  note lost(name: "w1", host: "h", reason: spokeNonsense, step: 0, phase: "computing")
                  note formed(1.2, members: ["w2"], bounds: [0, 4])
                  → p2 roster 1.2 after 0: w2 of w2, shards 0..<4
                """)
    }

    @Test func `a step without a line in the ledger is the last thing heard`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.bothVote(1, step: 1)
        _ = s.trace()
        s.event("the ledger does not take step 1", .recordFailed(step: 1))
        s.bothVote(1, step: 2)
        #expect(
            s.trace() == """
                the ledger does not take step 1
                  → p1 finish: the ledger is not writable
                  → p2 finish: the ledger is not writable
                  end recordFailed(step: 1)
                p1: vote 1.1 step 2 on shards 0 1
                p2: vote 1.1 step 2 on shards 2 3
                """)
    }

    @Test func `while the ledger cannot be written nobody is late`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.bothVote(1, step: 1)
        s.event("the ledger fails", .ledgerFails)
        _ = s.trace()
        s.wait(10_000, hearing: [1: .voting, 2: .voting])
        s.event("the ledger works", .ledgerWorks)
        s.wait(1_000, hearing: [1: .computing, 2: .computing])
        #expect(
            s.trace() == """
                10000 ms pass
                the ledger works
                1000 ms pass
                """)
        s.wait(2_000, hearing: [1: .computing, 2: .computing])
        #expect(s.trace().contains("note stalled(step: 2"))
    }

    @Test func `validation begins anew when a member is lost`() {
        var s = CoordinatorScenario(change: { $0.validation.every = 1 })
        s.startTwo()
        s.bothVote(1, step: 1)
        _ = s.trace()
        s.breaks(2)
        s.formed(2, 1)
        let reports = (0..<4).map {
            ShardReport(shard: $0, smoothed: 2, negativeLogLikelihood: 1, labels: 1)
        }
        s.says(1, .evaluated(Evaluation(step: 1, batch: 0, reports: reports)))
        #expect(
            s.trace() == """
                p2 broke
                  forget p2
                  note lost(name: "w2", host: "h", reason: connectionBroke, step: 1, phase: "joining")
                  note formed(1.2, members: ["w1"], bounds: [0, 4])
                  → p1 roster 1.2 after 1: w1 of w1, shards 0..<4
                p1: formed 1.2
                  → p1 evaluate 1 batch 0 on shards 0..<4
                p1: evaluated 1 batch 0
                  validated step 1: loss 1.0
                  → p1 step 2 in 1.2 on shards 0..<4
                """)
    }

    @Test func `a ring does not wait for a member that hangs in its update, were it the only one`()
    {
        var s = CoordinatorScenario()
        s.startTwo()
        s.bothVote(1, step: 1)
        s.says(1, .ringBroken(Generation(epoch: 1, counter: 1), RingFault(.lost, .successor)))
        _ = s.trace()
        s.wait(2_300, hearing: [1: .updating, 2: .forming])
        s.breaks(2)
        s.joins(3, holds: 1)
        s.wait(1_400, hearing: [3: .updating])
        s.joins(4, holds: 1)
        s.wait(1_000, hearing: [3: .updating, 4: .waiting])
        #expect(
            s.trace() == """
                2300 ms pass
                  note formed(1.2, members: ["w1", "w2"], bounds: [0, 2, 4])
                  → p1 roster 1.2 after 1: w1 of w1 w2, shards 0..<2
                  → p2 roster 1.2 after 1: w2 of w1 w2, shards 2..<4
                  note stalled(step: 2, waiting: ["w1", "w2"], milliseconds: 2100)
                  forget p1
                  note lost(name: "w1", host: "h", reason: stuck(milliseconds: 2100), step: 1, phase: "updating")
                  note formed(1.3, members: ["w2"], bounds: [0, 4])
                  → p2 roster 1.3 after 1: w2 of w2, shards 0..<4
                  → p1 say hello
                p2 broke
                  forget p2
                  note lost(name: "w2", host: "h", reason: connectionBroke, step: 1, phase: "forming")
                  note allGone(step: 1)
                p3: hello 3
                  → p3 welcome w3
                  note joined(name: "w3", host: "h", processID: 3, threads: 1, waitingFor: 0)
                p3: prepared holds 1
                1400 ms pass
                  note formed(1.4, members: ["w3"], bounds: [0, 4])
                  → p3 roster 1.4 after 1: w3 of w3, shards 0..<4
                p4: hello 4
                  → p4 welcome w4
                  note joined(name: "w4", host: "h", processID: 4, threads: 1, waitingFor: 0)
                p4: prepared holds 1
                1000 ms pass
                  note stalled(step: 2, waiting: ["w3"], milliseconds: 2100)
                  forget p3
                  note lost(name: "w3", host: "h", reason: stuck(milliseconds: 2100), step: 1, phase: "updating")
                  note formed(1.5, members: ["w4"], bounds: [0, 4])
                  → p4 roster 1.5 after 1: w4 of w4, shards 0..<4
                  → p3 say hello
                  → p3 say hello
                """)
    }

    @Test func `a late vote of an older ring does not count`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.votes(1, 1, step: 1, 0..<2)
        s.says(1, .ringBroken(Generation(epoch: 1, counter: 1), RingFault(.lost, .successor)))
        s.wait(100, hearing: [1: .folding, 2: .folding])
        s.formed(2, 1, 2)
        _ = s.trace()
        s.votes(2, 2, step: 1, 2..<4)
        s.votes(1, 1, step: 1, 0..<2)
        s.votes(1, 2, step: 1, 0..<2)
        #expect(
            s.trace() == """
                p2: vote 1.2 step 1 on shards 2 3
                p1: vote 1.1 step 1 on shards 0 1
                p1: vote 1.2 step 1 on shards 0 1
                  record step 1 by 2 in 1.2
                  → p1 commit 1
                  → p2 commit 1
                  → p1 step 2 in 1.2 on shards 0..<2
                  → p2 step 2 in 1.2 on shards 2..<4
                """)
    }
}
