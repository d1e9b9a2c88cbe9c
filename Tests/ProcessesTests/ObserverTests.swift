import Coordination
import Events
import Foundation
import Processes
import TestKit
import Testing

/// What the observers of a real run are told, and what they can do to it.
@Suite(.serialized) struct ObserverTests {
    /// Never comes back from its first event.
    private final class Stuck: RunObserver {
        let name = "stuck"
        let gate = DispatchSemaphore(value: 0)
        func observe(_ event: RunEvent) { gate.wait() }
    }

    @Test func `an observer that blocks for ever does not hold up a run`() throws {
        let undisturbed = try ObservedRun("a", steps: 12, workers: 2)
        let expected = try undisturbed.finish([])
        let run = try ObservedRun("b", steps: 12, workers: 2)
        let (stuck, recorder) = (Stuck(), Recorder())
        let result = try run.finish([stuck, recorder])
        #expect(result.outcome == .finished(step: 12))
        #expect(result.digest == expected.digest)
        #expect(recorder.events.count > 20)
        // Nothing of the measurements is lost by it.
        #expect(try run.metrics().count == undisturbed.metrics().count)
        for _ in 0..<1000 { stuck.gate.signal() }
    }

    @Test func `metrics.jsonl has every step and every look at the held-out part when a run ends`()
        throws
    {
        let run = try ObservedRun("a", steps: 10, workers: 1)
        let recorder = Recorder()
        _ = try run.finish([recorder])
        let lines = try run.metrics()
        #expect(lines.count { $0.contains("\"fold_s\":") } == 10)
        #expect(lines.count { $0.contains("\"validation_loss\":") } == 2)
        let events = recorder.events
        #expect(events.map(\.number) == Array(1...events.count))
        guard case .ended(let ending)? = events.last?.report else {
            return #expect(Bool(false), "\(String(describing: events.last))")
        }
        #expect(ending == Ending(.finished(step: 10), step: 10))
    }

    @Test func `what a real run says is the same when read from its JSON`() throws {
        let run = try ObservedRun("a", steps: 5, workers: 2)
        let recorder = Recorder()
        _ = try run.finish([recorder])
        #expect(!recorder.events.isEmpty)
        for event in recorder.events {
            let json = try event.json()
            #expect(try RunEvent(json: json).json() == json)
        }
    }

    @Test func `spans of a real run lie within its steps, on the coordinator's clock`() throws {
        let run = try ObservedRun("a", steps: 20, workers: 2)
        let recorder = Recorder()
        _ = try run.finish([recorder])
        let spans = recorder.events.flatMap { event -> [PhaseSpan] in
            if case .phases(let spans) = event.report { spans } else { [] }
        }
        let steps = Dictionary(
            spans.filter { $0.phase == .step }.map { ($0.step, $0) }, uniquingKeysWith: { $1 })
        #expect(Set(steps.keys) == Set(1...20))
        for phase in [PhaseSpan.Phase.compute, .vote] {
            for worker in ["w1", "w2"] {
                let own = spans.filter { $0.phase == phase && $0.worker == worker }
                #expect(own.map(\.step) == Array(1...20), "\(worker) \(phase)")
            }
        }
        for span in spans where [.compute, .fold, .wait, .vote].contains(span.phase) {
            let step = try #require(steps[span.step])
            #expect(span.clockError > 0 && span.clockError < 0.5)
            #expect(span.start >= step.start - span.clockError, "\(span), \(step)")
            #expect(span.end <= step.end + span.clockError, "\(span), \(step)")
            #expect(span.start <= span.end && span.generation == step.generation)
        }
        // The update follows the commit, while the next step is under way.
        for span in spans where span.phase == .update {
            let step = try #require(steps[span.step])
            #expect(span.start >= step.end - span.clockError, "\(span), \(step)")
        }
        #expect(spans.count { $0.phase == .update } >= 38)
        #expect(
            spans.contains { $0.phase == .forming } && spans.contains { $0.phase == .gathering })
        #expect(spans.contains { $0.phase == .evaluate } && spans.contains { $0.phase == .state })
        #expect(spans.contains { $0.phase == .checkpoint && $0.step == 20 })
    }

    @Test func `the steps of a run follow each other without a gap`() throws {
        let run = try ObservedRun("a", steps: 8, workers: 2)
        let recorder = Recorder()
        _ = try run.finish([recorder])
        let ofRun = recorder.events.flatMap { event -> [PhaseSpan] in
            guard case .phases(let spans) = event.report else { return [] }
            return spans.filter { $0.worker == nil && $0.phase != .checkpoint }
        }
        #expect(ofRun.count > 8)
        for (span, next) in zip(ofRun, ofRun.dropFirst()) {
            #expect(span.end == next.start, "\(span), \(next)")
        }
    }
}
