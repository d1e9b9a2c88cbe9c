import Coordination
import Parameters
import Testing
import Wire

@Suite struct SkippedStepsTests {
    /// Steps that a run of 1000 has skipped, and the step at which it must end.
    static let histories: [(skipped: [ClosedRange<Int>], steps: Int, end: Int?)] = [
        ([], 1000, nil), ([1...19], 1000, nil), ([1...20], 1000, 20), ([2...100], 1000, nil),
        ([2...101], 1000, 101), ([2...100], 100, 100), ([81...100], 100, 100),
        ([82...100], 100, nil), ([1...19, 21...119], 1000, nil), ([1...19, 21...120], 1000, 120),
        ([300...500], 1000, 399),
    ]

    @Test(
        "A hundred skipped steps in a row end a run, and twenty at its beginning or end",
        arguments: histories.indices)
    func ends(index: Int) {
        let history = Self.histories[index]
        var skips = SkippedSteps()
        var end: Int?
        for step in 1...history.steps where end == nil {
            if history.skipped.contains(where: { $0.contains(step) }) { skips.add(step) }
            if skips.areTooMany(at: step, of: history.steps) { end = step }
        }
        #expect(end == history.end)
    }

    @Test func `steps that are folded again change nothing`() {
        var skips = SkippedSteps()
        for step in [5, 6, 7, 9, 5, 6, 7, 8, 9] where step != 8 { skips.add(step) }
        #expect(skips.count(upTo: 7) == 3)
        #expect(skips.count(upTo: 8) == 0)
        #expect(skips.count(upTo: 9) == 1)
    }

    @Test func `a run that can only skip ends, and so does whoever resumes it`() {
        let end = "end gaveUp(step: 20, skipped: 20)"
        var s = CoordinatorScenario(change: {
            $0.onNonFinite = .skip
            $0.steps = 1000
        })
        s.startTwo()
        for step in 1...20 {
            #expect(!s.trace().contains("end "))
            s.votes(1, 1, step: step, 0..<2, norm: .nan)
            s.votes(2, 1, step: step, 2..<4, norm: .nan)
            s.updated(1, step: step)
            s.updated(2, step: step)
        }
        #expect(s.trace().contains(end))
        var skips = SkippedSteps()
        for step in 1...20 { skips.add(step) }
        let line = CommittedLine(
            generation: Generation(epoch: 0, counter: 1), step: 20,
            total: FastDigest(high: 0, low: 1), state: FastDigest(high: 0, low: 1), loss: .nan,
            skipped: true)
        var next = CoordinatorScenario(recorded: line, skips: skips) {
            $0.onNonFinite = .skip
            $0.steps = 1000
        }
        next.startTwo()
        #expect(next.coordinator.brief.hasPrefix("finished at step"))
    }

    @Test func `parameters that are not finite are not saved, and end the run`() {
        var s = CoordinatorScenario()
        s.startTwo()
        _ = s.trace()
        s.event("checkpoint 1 is not finite", .checkpointNotFinite(step: 1))
        #expect(s.trace().contains("end parametersNotFinite(step: 1)"))
    }
}
