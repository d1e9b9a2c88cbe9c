import Coordination
import Parameters
import Testing
import Wire

/// Who was lost and comes back, and what it is told.
@Suite struct ReturnScenarios {
    @Test func `a process that comes back under another identity is counted once`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.hello(12, instance: 2)
        s.breaks(2)
        s.prepared(12, holds: 0)
        #expect(
            s.trace() == """
                p12: hello 12
                  forget p2
                  note lost(name: "w2", host: "h", reason: reconnected, step: 0, phase: "computing")
                  note formed(1.2, members: ["w1"], bounds: [0, 4])
                  → p1 roster 1.2 after 0: w1 of w1, shards 0..<4
                  → p12 welcome w3
                  note joined(name: "w3", host: "h", processID: 12, threads: 1, waitingFor: 0)
                p2 broke
                p12: prepared holds 0
                """)
    }

    /// Two workers have committed step 1; then both connections break.
    private func allGoneAfterAStep() -> CoordinatorScenario {
        var s = CoordinatorScenario()
        s.startTwo()
        s.bothVote(1, step: 1)
        s.breaks(1)
        s.breaks(2)
        _ = s.trace()
        return s
    }

    @Test func `who is cut off before the commit hears it again, nothing is sent anew`() {
        var s = allGoneAfterAStep()
        s.joins(
            11, holds: 0,
            folded: FoldedStep(
                step: 1, total: FastDigest(high: 7, low: 0), state: FastDigest(high: 5, low: 0)))
        s.joins(12, holds: 1)
        #expect(
            s.trace() == """
                p11: hello 11
                  → p11 welcome w3
                  note joined(name: "w3", host: "h", processID: 11, threads: 1, waitingFor: 0)
                p11: prepared holds 0, folded 1
                  note commitRepeated(name: "w3", step: 1)
                  → p11 commit 1
                p12: hello 12
                  → p12 welcome w4
                  note joined(name: "w4", host: "h", processID: 12, threads: 1, waitingFor: 0)
                p12: prepared holds 1
                  note formed(1.3, members: ["w3", "w4"], bounds: [0, 2, 4])
                  → p11 roster 1.3 after 1: w3 of w3 w4, shards 0..<2
                  → p12 roster 1.3 after 1: w4 of w3 w4, shards 2..<4
                """)
    }

    @Test func `when nobody brings the state back the run goes back to its origin`() {
        var s = allGoneAfterAStep()
        s.joins(11)
        s.wait(1_200, hearing: [11: .waiting])
        #expect(
            s.trace() == """
                p11: hello 11
                  → p11 welcome w3
                  note joined(name: "w3", host: "h", processID: 11, threads: 1, waitingFor: 0)
                p11: prepared holds nothing
                1200 ms pass
                  note goingBack(from: 1, to: 0)
                  note restoring(names: ["w3"], step: 0)
                  → p11 new state 1
                  → p11 initialise
                """)
    }

    @Test func `the arithmetic of the steps so far is asked of all who come later`() {
        var s = allGoneAfterAStep()
        s.hello(3, probe: 9)
        #expect(
            s.trace() == """
                p3: hello 3
                  → p3 refused arithmetic(theirs: "kernel 9", ours: "kernel 0")
                  note refused(host: "h", processID: 3, arithmetic(theirs: "kernel 9", ours: "kernel 0"))
                """)
    }

    @Test func `the commit is not repeated to who has folded another total`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.bothVote(1, step: 1)
        s.breaks(1)
        _ = s.trace()
        let odd = FoldedStep(
            step: 1, total: FastDigest(high: 8, low: 0), state: FastDigest(high: 5, low: 0))
        s.joins(11, holds: 0, folded: odd)
        #expect(
            s.trace() == """
                p11: hello 11
                  → p11 welcome w3
                  note joined(name: "w3", host: "h", processID: 11, threads: 1, waitingFor: 0)
                p11: prepared holds 0, folded 1
                  → p11 new state 1
                  note teaching(name: "w3", step: 1)
                  → p2 give piece 0 of total 1
                """)
    }

    @Test func `who has hung is not waited for again for a while`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.wait(2_150, hearing: [1: .folding, 2: .computing])
        _ = s.trace()
        s.hello(12, instance: 2)
        s.prepared(12, holds: 0)
        s.formed(2, 1)
        s.votes(1, 2, step: 1, 0..<4)
        s.updated(1, step: 1)
        s.wait(2_000, hearing: [1: .computing, 12: .waiting])
        s.votes(1, 2, step: 2, 0..<4)
        #expect(
            s.trace() == """
                p12: hello 12
                  → p12 welcome w3
                  note joined(name: "w3", host: "h", processID: 12, threads: 1, waitingFor: 0)
                p12: prepared holds 0
                p1: formed 1.2
                  → p1 step 1 in 1.2 on shards 0..<4
                p1: vote 1.2 step 1 on shards 0 1 2 3
                  record step 1 by 1 in 1.2
                  → p1 commit 1
                  → p1 step 2 in 1.2 on shards 0..<4
                p1: updated 1
                2000 ms pass
                p1: vote 1.2 step 2 on shards 0 1 2 3
                  record step 2 by 1 in 1.2
                  → p1 commit 2
                  → p1 step 3 in 1.2 on shards 0..<4
                  → p12 new state 1
                  note teaching(name: "w3", step: 2)
                  → p1 give piece 0 of the state
                """)
    }
}
