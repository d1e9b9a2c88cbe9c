import Coordination
import Testing
import Wire

/// Who is lost, and what becomes of the step at hand.
@Suite struct LossScenarios {
    @Test func `who is given up while a new ring is formed was at what it did before`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.says(
            2, .heartbeat(Heartbeat(phase: .folding, step: 0, progress: 0, waitingFor: "")))
        s.says(1, .ringBroken(Generation(epoch: 1, counter: 1), RingFault(.lost, .successor)))
        _ = s.trace()
        s.wait(1_100, hearing: [1: .forming])
        #expect(s.trace().contains("silent(milliseconds: 1100), step: 0, phase: \"computing\")"))
    }

    @Test func `a member lost before the commit leaves no trace`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.votes(1, 1, step: 1, 0..<2)
        s.breaks(2)
        s.votes(1, 1, step: 1, 0..<2)
        s.formed(1, 1)
        s.formed(2, 1)
        s.votes(1, 2, step: 1, 0..<4)
        s.formed(2, 2)
        #expect(
            s.trace() == """
                p1: vote 1.1 step 1 on shards 0 1
                p2 broke
                  forget p2
                  note lost(name: "w2", host: "h", reason: connectionBroke, step: 0, phase: "computing")
                  note formed(1.2, members: ["w1"], bounds: [0, 4])
                  → p1 roster 1.2 after 0: w1 of w1, shards 0..<4
                p1: vote 1.1 step 1 on shards 0 1
                p1: formed 1.1
                p1: formed 1.2
                  → p1 step 1 in 1.2 on shards 0..<4
                p1: vote 1.2 step 1 on shards 0 1 2 3
                  record step 1 by 1 in 1.2
                  → p1 commit 1
                  → p1 step 2 in 1.2 on shards 0..<4
                p2: formed 1.2
                  → p2 say hello
                """)
    }

    @Test func `who is silent is given up, and told so when it speaks again`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.wait(1_200, hearing: [1: .computing])
        s.formed(1, 2)
        #expect(
            s.trace() == """
                1200 ms pass
                  forget p2
                  note lost(name: "w2", host: "h", reason: silent(milliseconds: 1100), step: 0, phase: "computing")
                  note formed(1.2, members: ["w1"], bounds: [0, 4])
                  → p1 roster 1.2 after 0: w1 of w1, shards 0..<4
                p2: formed 1.1
                  → p2 say hello
                """)
    }

    @Test func `a coordinator that was stopped judges nobody by it`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.wait(100)
        s.sleep(60_000)
        #expect(
            s.trace() == """
                100 ms pass
                stopped for 60000 ms
                """)
    }

    @Test func `who hangs in work of its own is given up, who waits for it is not`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.wait(2_150, hearing: [1: .folding, 2: .computing])
        #expect(
            s.trace() == """
                2150 ms pass
                  note stalled(step: 1, waiting: ["w1", "w2"], milliseconds: 2100)
                  forget p2
                  note lost(name: "w2", host: "h", reason: stuck(milliseconds: 2100), step: 0, phase: "computing")
                  note formed(1.2, members: ["w1"], bounds: [0, 4])
                  → p1 roster 1.2 after 0: w1 of w1, shards 0..<4
                  → p2 say hello
                """)
    }

    @Test func `where all wait for each other the ring is formed anew`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.wait(2_300, hearing: [1: .folding, 2: .folding])
        #expect(
            s.trace() == """
                2300 ms pass
                  note stalled(step: 1, waiting: ["w1", "w2"], milliseconds: 2100)
                  note formed(1.2, members: ["w1", "w2"], bounds: [0, 2, 4])
                  → p1 roster 1.2 after 0: w1 of w1 w2, shards 0..<2
                  → p2 roster 1.2 after 0: w2 of w1 w2, shards 2..<4
                """)
    }

    @Test func `a broken ring is formed anew once, after a moment`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.says(1, .ringBroken(Generation(epoch: 1, counter: 1), RingFault(.lost, .successor)))
        s.says(2, .ringBroken(Generation(epoch: 1, counter: 1), RingFault(.lost, .successor)))
        s.wait(100, hearing: [1: .folding, 2: .folding])
        s.says(1, .ringBroken(Generation(epoch: 1, counter: 1), RingFault(.lost, .successor)))
        #expect(
            s.trace() == """
                p1: ring 1.1 broken: lost(successor)
                  note ringBroken(w1@h, lost(successor), [w2@h])
                p2: ring 1.1 broken: lost(successor)
                100 ms pass
                  note formed(1.2, members: ["w1", "w2"], bounds: [0, 2, 4])
                  → p1 roster 1.2 after 0: w1 of w1 w2, shards 0..<2
                  → p2 roster 1.2 after 0: w2 of w1 w2, shards 2..<4
                p1: ring 1.1 broken: lost(successor)
                """)
    }

    @Test func `who says goodbye, nonsense or another protocol`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.says(1, .leaving(reason: "it was asked to stop"))
        s.event("nonsense from p2", .nonsense(PeerID(2), .checksum))
        s.event(
            "another protocol from p9", .nonsense(PeerID(9), .otherProtocol(theirs: 7, ours: 1)))
        #expect(
            s.trace() == """
                p1: leaving: it was asked to stop
                  forget p1
                  note lost(name: "w1", host: "h", reason: left("it was asked to stop"), step: 0, phase: "computing")
                  note formed(1.2, members: ["w2"], bounds: [0, 4])
                  → p2 roster 1.2 after 0: w2 of w2, shards 0..<4
                nonsense from p2
                  note nonsense(name: "w2", checksum)
                  forget p2
                  note lost(name: "w2", host: "h", reason: spokeNonsense, step: 0, phase: "computing")
                  note allGone(step: 0)
                another protocol from p9
                  → p9 refused version(theirs: "protocol 7", ours: "protocol 1")
                """)
    }

    @Test func `of two who never find each other one goes on alone`() {
        var s = CoordinatorScenario()
        s.joins(1)
        s.joins(2)
        for peer: UInt64 in [1, 2] { s.stateReady(peer, step: 0) }
        _ = s.trace()
        s.wait(6_500, hearing: [1: .forming, 2: .forming])
        s.formed(4, 1)
        #expect(
            s.trace() == """
                6500 ms pass
                  note stalled(step: 1, waiting: ["w1", "w2"], milliseconds: 2100)
                  note formed(1.2, members: ["w1", "w2"], bounds: [0, 2, 4])
                  → p1 roster 1.2 after 0: w1 of w1 w2, shards 0..<2
                  → p2 roster 1.2 after 0: w2 of w1 w2, shards 2..<4
                  note stalled(step: 1, waiting: ["w1", "w2"], milliseconds: 2100)
                  note formed(1.3, members: ["w1", "w2"], bounds: [0, 2, 4])
                  → p1 roster 1.3 after 0: w1 of w1 w2, shards 0..<2
                  → p2 roster 1.3 after 0: w2 of w1 w2, shards 2..<4
                  note stalled(step: 1, waiting: ["w1", "w2"], milliseconds: 2100)
                  forget p2
                  note lost(name: "w2", host: "h", reason: stuck(milliseconds: 2100), step: 0, phase: "forming")
                  note formed(1.4, members: ["w1"], bounds: [0, 4])
                  → p1 roster 1.4 after 0: w1 of w1, shards 0..<4
                p1: formed 1.4
                  → p1 step 1 in 1.4 on shards 0..<4
                """)
    }
}
