import Coordination
import Events
import Watching

/// What has been counted since the page began to look, for Prometheus.
struct Tally: Sendable {
    /// Seconds of a phase, in buckets.
    struct Histogram: Sendable {
        /// Upper ends of the buckets, in seconds.
        static let ends = [
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100,
        ]
        var counts = [Int](repeating: 0, count: ends.count)
        var count = 0
        var sum = 0.0

        mutating func add(_ seconds: Double) {
            guard seconds.isFinite else { return }
            for (index, end) in Self.ends.enumerated() where seconds <= end { counts[index] += 1 }
            count += 1
            sum += seconds
        }
    }

    static let phases = ["step", "compute", "fold", "wait"]
    var histograms = [Histogram](repeating: Histogram(), count: phases.count)
    var steps = 0
    var tokens = 0
    var lost = 0
    var checkpoints = 0

    mutating func take(_ report: RunReport) {
        switch report {
        case .step(let step):
            steps += 1
            tokens += step.tokens
            let seconds = [
                step.stepSeconds, step.computeSeconds, step.foldSeconds, step.waitSeconds,
            ]
            for (index, value) in seconds.enumerated() { histograms[index].add(value) }
        case .note(.lost): lost += 1
        case .checkpoint: checkpoints += 1
        default: break
        }
    }
}

/// A page of figures in the text format of Prometheus, version 0.0.4.
struct PrometheusText {
    private(set) var text = ""

    /// One figure, or one for each set of labels.
    mutating func add(
        _ name: String, _ kind: String, _ help: String,
        _ values: [(labels: [(String, String)], value: Double)]
    ) {
        guard !values.isEmpty else { return }
        begin(name, kind, help)
        for value in values { line(name, value.labels, value.value) }
    }

    mutating func add(_ name: String, _ kind: String, _ help: String, _ value: Double?) {
        if let value { add(name, kind, help, [([], value)]) }
    }

    mutating func add(
        _ name: String, _ help: String, _ histograms: [(label: String, Tally.Histogram)],
        by label: String
    ) {
        begin(name, "histogram", help)
        for (value, histogram) in histograms {
            let own = [(label, value)]
            for (end, count) in zip(Tally.Histogram.ends, histogram.counts) {
                line(name + "_bucket", own + [("le", "\(end)")], Double(count))
            }
            line(name + "_bucket", own + [("le", "+Inf")], Double(histogram.count))
            line(name + "_sum", own, histogram.sum)
            line(name + "_count", own, Double(histogram.count))
        }
    }

    private mutating func begin(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: Double) {
        let shown = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += name + (shown.isEmpty ? "" : "{\(shown)}") + " \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}

extension PageDesk {
    /// The run's figures for Prometheus.
    func figures() -> String {
        withPicture { picture, tally, heldOut, verdict in
            var text = PrometheusText()
            text.add(
                "dtrain_build_info", "gauge", "The program that shows the run.",
                [([("version", software)], 1)])
            text.add(
                "dtrain_run_healthy", "gauge", "Whether steps are committed as they should be.",
                verdict.weight == .good ? 1 : 0)
            text.add(
                "dtrain_last_event_timestamp_seconds", "gauge",
                "When the run last told of anything.",
                picture.toldAt > 0 ? picture.toldAt : nil)
            text.add(
                "dtrain_step", "gauge", "The last committed step.",
                picture.step.map { Double($0.step) })
            text.add(
                "dtrain_target_step", "gauge", "The step at which the run is finished.",
                picture.lastStep.map(Double.init))
            text.add(
                "dtrain_loss_nats", "gauge", "Smoothed loss of the last step.", picture.step?.loss)
            text.add(
                "dtrain_held_out_loss_nats", "gauge", "Loss on the held-out part.",
                heldOut?.figures["validation_loss"])
            text.add(
                "dtrain_learning_rate", "gauge", "Learning rate of the last step.",
                picture.step?.learningRate)
            text.add(
                "dtrain_gradient_norm", "gauge", "Norm of the last gradient before clipping.",
                picture.step?.gradientNorm)
            text.add(
                "dtrain_tokens_per_second", "gauge", "Tokens by the seconds of the last step.",
                picture.step?.tokensPerSecond)
            let states = Dictionary(
                grouping: picture.workers.filter { $0.lostAt == nil },
                by: { picture.ring.contains($0.name) })
            text.add(
                "dtrain_workers", "gauge", "Workers that are there.",
                [true, false].map {
                    ([("state", $0 ? "member" : "other")], Double(states[$0]?.count ?? 0))
                })
            text.add(
                "dtrain_steps_total", "counter", "Steps seen since this page began.",
                Double(tally.steps))
            text.add(
                "dtrain_tokens_total", "counter", "Tokens of those steps.", Double(tally.tokens))
            text.add(
                "dtrain_workers_lost_total", "counter", "Workers lost since this page began.",
                Double(tally.lost))
            text.add(
                "dtrain_checkpoints_total", "counter", "Checkpoints saved since this page began.",
                Double(tally.checkpoints))
            text.add(
                "dtrain_step_phase_duration_seconds",
                "Seconds of a step, and of its parts as means over the members.",
                Array(zip(Tally.phases, tally.histograms)), by: "phase")
            text.add(
                "dtrain_page_readers", "gauge", "Readers of the page's stream.",
                Double(feed.readers))
            return text.text
        }
    }
}
