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
                  note awaiting(step: 1, [Coordination.Awaited(name: "w2", host: "h", phase: "computing", waitingFor: "")], milliseconds: 300)
                  note awaiting(step: 1, [Coordination.Awaited(name: "w2", host: "h", phase: "computing", waitingFor: "")], milliseconds: 500)
                """)
    }

    @Test func `a run that has not started says how many are missing, not who is here`() {
        var s = CoordinatorScenario()
        s.tellsWaits = true
        s.wait(400)
        s.joins(1)
        _ = s.trace()
        s.wait(500, hearing: [1: .waiting])
        let notes = s.trace().split(separator: "\n").filter { $0.contains("note") }
        #expect(!notes.isEmpty)
        #expect(notes.allSatisfy { $0.contains("gathering(names: [\"w1\"], missing: 1") })
    }

    /// Steps with the seconds that the second worker computes in each; the first takes one.
    private func stragglers(_ seconds: [Double]) -> [String] {
        var s = CoordinatorScenario(change: { $0.steps = seconds.count + 1 })
        s.startTwo()
        for (index, seconds) in seconds.enumerated() {
            s.bothVote(1, step: index + 1, computing: (1, seconds))
        }
        return s.trace().split(separator: "\n").filter { $0.contains("straggler") }.map(String.init)
    }

    @Test func `who is last in most steps is named, once`() {
        let late = (1...400).map { $0 % 5 == 0 ? 0.5 : 1.5 }
        #expect(
            stragglers(late) == [
                """
                  note straggler(name: "w2", host: "h", steps: 40, milliseconds: 500, \
                stepMilliseconds: 0)
                """
            ])
    }

    @Test func `who costs twice as much as was said is named again`() {
        let later = Array(repeating: 1.5, count: 150) + Array(repeating: 3, count: 150)
        #expect(stragglers(later).count == 2)
    }

    @Test(arguments: [1.0005, 1.0])
    func `what costs next to nothing is not said`(seconds: Double) {
        #expect(stragglers(Array(repeating: seconds, count: 200)) == [])
    }

    @Test func `turns in being last are not said`() {
        #expect(stragglers((1...400).map { $0 % 2 == 0 ? 0.5 : 1.5 }) == [])
    }

    @Test func `who falls silent at the same time is given up together, without a ring in between`()
    {
        var s = CoordinatorScenario { $0.gathering.workers = 3 }
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
