import Wire

/// The size of one layer's gradient and output at a step.
package struct LayerReport: Sendable, Hashable, Codable {
    /// The name with which its parameters begin: `encoder.layers.0`.
    package var name: String
    /// Euclidean norm of the whole batch's gradient of its parameters, before clipping.
    package var gradientNorm: Double
    /// Root mean square of what it gives, over all tokens of the batch.
    package var activation: Double

    /// Makes a report of its parts.
    package init(name: String, gradientNorm: Double, activation: Double) {
        self.name = name
        self.gradientNorm = gradientNorm
        self.activation = activation
    }

    enum CodingKeys: String, CodingKey {
        case name
        case gradientNorm = "gradient_norm"
        case activation = "activation_rms"
    }

    /// Returns a report for each layer, if the members measured them; sums run over the shards in
    /// order.
    package static func reports(
        _ names: [String], squaredNorms: [Double], shards: [ShardReport]
    ) -> [LayerReport]? {
        guard !squaredNorms.isEmpty, squaredNorms.count == names.count else { return nil }
        return names.indices.map { layer in
            var (squares, count) = (0.0, 0.0)
            for shard in shards where shard.activity.count == 2 * names.count {
                squares += shard.activity[2 * layer]
                count += shard.activity[2 * layer + 1]
            }
            return LayerReport(
                name: names[layer], gradientNorm: squaredNorms[layer].squareRoot(),
                activation: (squares / max(1, count)).squareRoot())
        }
    }
}

/// The layer in which signals die or grow beyond use most.
package struct LayerAlarm: Sendable, Hashable {
    /// The ways in which a layer's signals are of no use.
    package enum Kind: Sendable {
        /// The gradient's norm is less than a thousandth of the largest layer's.
        case vanishing
        /// The gradient's norm is above 100, or not finite.
        case exploding
        /// The output's root mean square is above 1,000, or not finite.
        case overflowing
    }

    /// The way in which they are.
    package var kind: Kind
    /// The worst layer, by the name of its parameters: `encoder.layers.0`.
    package var layer: String
    /// The norm or the root mean square.
    package var value: Double
    /// Number of other layers that suffer from the same.
    package var others: Int

    /// Makes an alarm of its parts.
    package init(kind: Kind, layer: String, value: Double, others: Int) {
        self.kind = kind
        self.layer = layer
        self.value = value
        self.others = others
    }
}

extension [LayerReport] {
    /// At most one of each kind.
    package var alarms: [LayerAlarm] {
        func alarm(
            _ kind: LayerAlarm.Kind, _ value: KeyPath<LayerReport, Double>, smallest: Bool = false,
            _ isBad: (Double) -> Bool
        ) -> LayerAlarm? {
            let bad = filter { isBad($0[keyPath: value]) }
            // What is no number is worse than any number.
            func badness(_ report: LayerReport) -> Double {
                let number = report[keyPath: value]
                return number.isNaN ? .infinity : smallest ? -number : number
            }
            guard let worst = bad.max(by: { badness($0) < badness($1) }) else { return nil }
            return LayerAlarm(
                kind: kind, layer: worst.name, value: worst[keyPath: value], others: bad.count - 1)
        }
        let largest = map(\.gradientNorm).filter(\.isFinite).max() ?? 0
        return [
            alarm(.vanishing, \.gradientNorm, smallest: true) { $0 < largest / 1000 },
            alarm(.exploding, \.gradientNorm) { !($0 <= 100) },
            alarm(.overflowing, \.activation) { !($0 <= 1000) },
        ].compactMap { $0 }
    }
}
