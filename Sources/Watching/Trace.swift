import Checkpoint
import Coordination
import Events
import Foundation

/// The spans of some steps as a trace that Chrome and Perfetto read (Trace Event Format, complete
/// events).
///
/// A lane a thread: the run, each worker's lanes, each worker's ring thread, since folding goes on while
/// others compute. In a lane nothing overlaps.
package struct Trace: Encodable {
    /// One line of the format.
    struct Entry: Encodable {
        var name: String
        var category: String?
        /// `X` for a span, `M` for what a lane is called.
        var phase: String
        var process = 1
        var lane: Int
        /// Microseconds since the first span.
        var start: Double?
        var duration: Double?
        var arguments: [String: JSON]

        enum CodingKeys: String, CodingKey {
            case name
            case category = "cat"
            case phase = "ph"
            case process = "pid"
            case lane = "tid"
            case start = "ts"
            case duration = "dur"
            case arguments = "args"
        }
    }

    var entries: [Entry]
    var other: [String: JSON]
    var unit = "ms"

    enum CodingKeys: String, CodingKey {
        case entries = "traceEvents"
        case other = "otherData"
        case unit = "displayTimeUnit"
    }

    /// How many spans it has.
    package let spans: Int
    /// Seconds by which a time may be wrong on the coordinator's clock.
    package let clockError: Double

    private struct Lane: Hashable, Comparable {
        var worker: String
        var isRing: Bool
        var isSaving: Bool

        var name: String {
            worker.isEmpty
                ? (isSaving ? "checkpoints" : "run") : worker + (isRing ? " ring thread" : "")
        }

        static func < (one: Lane, other: Lane) -> Bool {
            let keys = [one, other].map { ($0.worker.count, $0.worker) }
            if keys[0] != keys[1] { return keys[0] < keys[1] }
            return !one.isRing && !one.isSaving && (other.isRing || other.isSaving)
        }
    }

    /// The trace of the steps of a run that `events.jsonl` still has; nil where it has none of them.
    package init?(of paths: RunPaths, steps: ClosedRange<Int>) {
        var lanes: [Lane: [(start: Double, span: PhaseSpan)]] = [:]
        for event in EventLog.events(of: paths, from: -.infinity, to: .infinity, steps: steps) {
            guard case .phases(let spans) = event.report else { continue }
            let base = event.time - event.clock
            for span in spans where steps.contains(span.step) && span.end >= span.start {
                let lane = Lane(
                    worker: span.worker ?? "", isRing: span.worker != nil && span.phase == .fold,
                    isSaving: span.phase == .checkpoint)
                lanes[lane, default: []].append((base + span.start, span))
            }
        }
        guard let first = lanes.values.joined().map(\.start).min() else { return nil }
        var entries: [Entry] = [
            Entry(
                name: "process_name", phase: "M", lane: 0,
                arguments: ["name": .string("dtrain")])
        ]
        var worst = 0.0
        var count = 0
        for (number, lane) in lanes.keys.sorted().enumerated() {
            entries.append(
                Entry(
                    name: "thread_name", phase: "M", lane: number + 1,
                    arguments: ["name": .string(lane.name)]))
            var end = -Double.infinity
            for (start, span) in lanes[lane]!.sorted(by: { $0.start < $1.start }) {
                // An offset that was estimated anew may make neighbours overlap by its error.
                let begin = max(1e6 * (start - first), end)
                end = max(begin, 1e6 * (start + span.end - span.start - first))
                worst = max(worst, span.clockError)
                count += 1
                entries.append(
                    Entry(
                        name: span.phase.rawValue, category: lane.isRing ? "ring" : "phase",
                        phase: "X", lane: number + 1, start: begin, duration: end - begin,
                        arguments: [
                            "step": .integer(span.step),
                            "clock_error_us": .number(1e6 * span.clockError),
                        ]))
            }
        }
        self.entries = entries
        spans = count
        clockError = worst
        other = [
            "clock": .string("the coordinator's"), "clock_error_us": .number(1e6 * worst),
            "first_step": .integer(steps.lowerBound), "last_step": .integer(steps.upperBound),
            "began_unix_s": .number(first),
        ]
    }

    /// The trace as JSON.
    package func json() throws -> Data { try JSONForm.encoder().encode(self) }
}
