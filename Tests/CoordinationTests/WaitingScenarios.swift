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
}
