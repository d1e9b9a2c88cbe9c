import Inference
import Scoring

/// What a report on a translator says, whatever form it is written in.
package struct Report {
    /// A sentence whose attention is shown.
    package struct Attention {
        let source: String
        let view: AttentionView

        package init(source: String, view: AttentionView) {
            self.source = source
            self.view = view
        }
    }

    /// What is known of the model and the text, in the order in which it is shown.
    package var facts: [(name: String, value: String)]
    /// What the text is called.
    package var name: String
    package var loss: Double
    package var perplexity: Double
    package var measurements: [Measurement]
    /// What the translations were compared with; empty where they were not.
    package var rival: String
    /// What was left out, and what must be known to read the scores.
    package var notes: [String]
    package var lines: [EvaluatedLine]
    /// How many of the worst sentences are shown.
    package var worst: Int
    package var script: Script
    package var attention: [Attention]

    package init(
        facts: [(name: String, value: String)], name: String, loss: Double, perplexity: Double,
        measurements: [Measurement], rival: String, notes: [String], lines: [EvaluatedLine],
        worst: Int, script: Script, attention: [Attention]
    ) {
        self.facts = facts
        self.name = name
        self.loss = loss
        self.perplexity = perplexity
        self.measurements = measurements
        self.rival = rival
        self.notes = notes
        self.lines = lines
        self.worst = worst
        self.script = script
        self.attention = attention
    }

    /// The worst sentences that a report shows unless told otherwise.
    package static let usualWorst = 10
    /// How many of the best, and of the middle.
    static let others = 5

    /// Sentences under one heading.
    struct Samples {
        let title: String
        let lines: [EvaluatedLine]
    }

    /// No sentence is shown twice: the worst, then the best, the longest first, then the middle.
    var samples: [Samples] {
        let ordered = lines.indicesWorstFirst.map { (offset: $0, element: lines[$0]) }
        let worst = ordered.prefix(self.worst)
        let rest = ordered.dropFirst(worst.count)
        let best = rest.sorted { one, other in
            if one.element.rank != other.element.rank {
                return one.element.rank > other.element.rank
            }
            let (mine, theirs) = (one.element.loss.labels, other.element.loss.labels)
            return mine != theirs ? mine > theirs : one.offset < other.offset
        }.prefix(Self.others)
        let taken = Set((Array(worst) + best).map(\.offset))
        let middle = ordered.filter { !taken.contains($0.offset) }
        let from = max(0, middle.count / 2 - Self.others / 2)
        let chosen = middle.dropFirst(from).prefix(Self.others)
        return [
            Samples(title: "Best", lines: best.map(\.element)),
            Samples(title: "Middle", lines: chosen.map(\.element)),
            Samples(title: "Worst", lines: worst.map(\.element)),
        ].filter { !$0.lines.isEmpty }
    }

    /// Sentences whose attention is worth a look: a good one, a middling one and a bad one, none too
    /// long to be drawn.
    package static func worthALook(_ lines: [EvaluatedLine]) -> [EvaluatedLine] {
        let fit = lines.worstFirst.filter { line in
            (4...drawn).contains(line.loss.labels) && (2...drawn).contains(line.translation.tokens)
                && line.source.count < 6 * drawn
        }
        guard fit.count > 3 else { return fit.reversed() }
        return [fit[fit.count - 1], fit[fit.count / 2], fit[0]]
    }

    private static let drawn = 24

    /// A row of the table of lengths.
    struct Length {
        let label: String
        let lines: [Int]
        /// What each metric says of these lines.
        let scores: [Score]
        /// chrF2 of these lines.
        let rank: Double
        /// Tokens of the outputs for one of the references.
        let ratio: Double
        /// Nats a token of the references.
        let loss: Double
    }

    var lengths: [Length] {
        LengthBucket.buckets(of: lines.map { $0.loss.labels - 1 }).map { bucket in
            let members = bucket.lines.map { lines[$0] }
            let labels = members.reduce(0) { $0 + $1.loss.labels }
            let tokens = members.reduce(0) { $0 + $1.translation.tokens }
            let nats = members.reduce(0) { $0 + $1.loss.negativeLogLikelihood }
            let open = bucket.tokens.upperBound == LengthBucket.unbounded
            let first = max(1, bucket.tokens.lowerBound)
            let label =
                open
                ? "\(first) and more"
                : first == bucket.tokens.upperBound
                    ? "\(first)" : "\(first)–\(bucket.tokens.upperBound)"
            return Length(
                label: label, lines: bucket.lines,
                scores: measurements.compactMap { $0.score(of: bucket.lines) },
                rank: members.reduce(0) { $0 + $1.rank } / Double(members.count),
                ratio: labels == 0 ? 0 : Double(tokens) / Double(labels),
                loss: labels == 0 ? 0 : nats / Double(labels))
        }
    }

    /// How many sentences have a chrF2 from 0, 10, … 90 on; 100 is one of the last.
    var histogram: [Int] {
        var counts = [Int](repeating: 0, count: 10)
        for line in lines { counts[min(9, max(0, Int(line.rank / 10)))] += 1 }
        return counts
    }

    /// `76.05 ± 1.44`.
    func bounds(_ measurement: Measurement) -> String {
        guard let confidence = measurement.confidence, confidence.mean > 0 else { return "–" }
        return "\(fixed(confidence.mean, 2)) ± \(fixed(confidence.margin, 2))"
    }

    /// Which way a metric is better.
    func better(_ measurement: Measurement) -> String {
        measurement.metric.name == "TER" ? "lower is better" : "higher is better"
    }
}
