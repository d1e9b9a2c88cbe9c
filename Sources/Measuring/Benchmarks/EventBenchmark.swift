import Events
import Foundation
import Kernels
import Threads

/// What the events of a run cost: those of a real step, told to observers again and again.
package struct EventBenchmark {
    package var step: StepBenchmark
    /// Observers that take every event and do nothing with it.
    package var observers: Int
    /// How often the events of a step are told.
    package var repeats: Int

    package init(step: StepBenchmark, observers: Int, repeats: Int = 2000) {
        self.step = step
        self.observers = observers
        self.repeats = repeats
    }

    package struct Row: Encodable, Sendable {
        /// As in the event's JSON.
        package var event: String
        /// How many of them a step has.
        package var count: Double
        /// Nanoseconds of the coordinator's thread to tell one to all observers.
        package var postNanoseconds: Double
        /// Nanoseconds of an observer's thread to write one as JSON.
        package var encodeNanoseconds: Double
        /// Of one as JSON.
        package var bytes: Int

        enum CodingKeys: String, CodingKey {
            case event, count, bytes
            case postNanoseconds = "post_ns"
            case encodeNanoseconds = "encode_ns"
        }
    }

    package struct Result: Encodable, Sendable {
        package var rows: [Row]
        package var observers: Int
        package var stepMilliseconds: Double
        package var eventsPerStep: Double
        /// Of a step: what the coordinator's thread spends on telling.
        package var postShare: Double
        /// Of a step: that, and what one observer spends on writing all as JSON.
        package var share: Double

        enum CodingKeys: String, CodingKey {
            case rows, observers, share
            case stepMilliseconds = "step_ms"
            case eventsPerStep = "events_per_step"
            case postShare = "post_share"
        }
    }

    /// Runs the steps, then tells their events; throws what the processes have to say.
    package func run(requests: any RequestSource) throws -> Result {
        let counter = EventCounter()
        let ran = try step.run(requests: requests, watching: counter.count)
        let rows = try counter.kinds.map { kind in
            let bytes = try Self.event(kind.last).json().count
            return Row(
                event: kind.name, count: Double(kind.count) / Double(step.steps),
                postNanoseconds: try posting(kind.last),
                encodeNanoseconds: try encoding(kind.last), bytes: bytes)
        }
        let nanoseconds = ran.stepMilliseconds * 1e6
        let post = rows.reduce(0) { $0 + $1.count * $1.postNanoseconds }
        let encode = rows.reduce(0) { $0 + $1.count * $1.encodeNanoseconds }
        return Result(
            rows: rows, observers: observers, stepMilliseconds: ran.stepMilliseconds,
            eventsPerStep: rows.reduce(0) { $0 + $1.count }, postShare: post / nanoseconds,
            share: (post + encode) / nanoseconds)
    }

    private func posting(_ report: RunReport) throws -> Double {
        let told = try RunObservers(
            (0..<observers).map { Idle(name: "idle \($0)") }, limit: repeats + 1)
        let begun = ThreadClock.nanoseconds()
        for _ in 0..<repeats { told.post(report) }
        let time = ThreadClock.nanoseconds() - begun
        told.close()
        return Double(time) / Double(repeats)
    }

    private func encoding(_ report: RunReport) throws -> Double {
        let event = Self.event(report)
        var bytes = 0
        let begun = ThreadClock.nanoseconds()
        for _ in 0..<repeats { bytes += try event.json().count }
        let time = ThreadClock.nanoseconds() - begun
        precondition(bytes > 0, "no JSON")
        return Double(time) / Double(repeats)
    }

    private static func event(_ report: RunReport) -> RunEvent {
        RunEvent(
            number: 1, time: Date().timeIntervalSince1970, clock: Clock.now.seconds, report)
    }
}

private struct Idle: RunObserver {
    let name: String
    func observe(_ event: RunEvent) {}
}

/// Counts the events of measured steps by their kind, and keeps the last of each.
private final class EventCounter {
    struct Kind {
        let name: String
        var count = 0
        var last: RunReport
    }

    private(set) var kinds: [Kind] = []

    func count(_ report: RunReport) {
        if let index = kinds.firstIndex(where: { $0.name == report.kind }) {
            kinds[index].count += 1
            kinds[index].last = report
        } else {
            kinds.append(Kind(name: report.kind, count: 1, last: report))
        }
    }
}
