import Coordination
import Testing
import Wire

/// What the coordinator says by itself about those for whom the run waits.
@Suite struct WaitingScenarios {
    @Test func `the coordinator says whom it waits for, the silent one before the busy ones`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.tellsWaits = true
        s.wait(900, hearing: [1: .computing])
        #expect(
            s.trace() == """
                900 ms pass
                  note awaiting(step: 1, [Coordination.Awaited(name: "w1", host: "h", phase: "computing", waitingFor: ""), Coordination.Awaited(name: "w2", host: "h", phase: "computing", waitingFor: "")], milliseconds: 300)
                  note awaiting(step: 1, [Coordination.Awaited(name: "w2", host: "h", phase: "computing", waitingFor: "")], milliseconds: 500)
                """)
    }

    @Test func `who is last in most steps is named`() {
        var s = CoordinatorScenario(change: { $0.steps = 100 })
        s.startTwo()
        for step in 1...50 { s.bothVote(1, step: step, computing: (1, step % 5 == 0 ? 0.5 : 1.5)) }
        #expect(
            s.trace().split(separator: "\n").filter { $0.contains("straggler") } == [
                "  note straggler(name: \"w2\", host: \"h\", steps: 40, milliseconds: 500)"
            ])
    }

    @Test func `who falls silent at the same time is given up together, without a ring in between`()
    {
        var s = CoordinatorScenario { $0.workers = 3 }
        for peer: UInt64 in 1...3 { s.joins(peer) }
        for peer: UInt64 in 1...3 { s.stateReady(peer, step: 0) }
        for peer: UInt64 in 1...3 { s.formed(1, peer) }
        s.wait(100, hearing: [2: .computing])
        s.wait(100, hearing: [3: .computing])
        _ = s.trace()
        s.wait(1_300)
        #expect(
            s.trace() == """
                1300 ms pass
                  forget p1
                  note lost(name: "w1", host: "h", reason: silent(milliseconds: 1300), step: 0, phase: "computing")
                  note allGone(step: 0)
                  forget p2
                  note lost(name: "w2", host: "h", reason: silent(milliseconds: 1200), step: 0, phase: "computing")
                  forget p3
                  note lost(name: "w3", host: "h", reason: silent(milliseconds: 1100), step: 0, phase: "computing")
                """)
    }
}
