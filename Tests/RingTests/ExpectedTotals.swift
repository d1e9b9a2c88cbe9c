import Parameters
import Ring

/// Gradients in which the order of additions shows: magnitudes from 1e-6 to 1e6, zeros of both
/// signs.
func gradients(_ shards: Int, _ count: Int, seed: UInt64) -> [ParameterVector] {
    var generator = SeededGenerator(seed: seed)
    return (0..<shards).map { _ in
        let vector = ParameterVector(count: count)
        for index in 0..<count {
            let exponent = Float.random(in: -20...20, using: &generator)
            vector[index] =
                switch Int.random(in: 0..<16, using: &generator) {
                case 0: -0.0
                case 1: 0
                default:
                    Float.random(in: -1...1, using: &generator) * exponent * exponent * exponent
                }
        }
        return vector
    }
}

/// What one process would compute: the left fold from a shard on, around, per segment, rounded after
/// every shard. A fold in place begins with the first shard everywhere.
func expectedTotal(
    _ gradients: [ParameterVector], _ plan: RingPlan, _ rounding: StochasticRounding? = nil
) -> [UInt32] {
    let total = ParameterVector(count: plan.count)
    for segment in 0..<(plan.isInPlace ? 1 : plan.segments) {
        let first = plan.isInPlace ? 0 : plan.shardBounds[plan.start(ofSegment: segment)]
        let range = plan.isInPlace ? 0..<plan.count : plan.elements(ofSegment: segment)
        for offset in 0..<gradients.count {
            let shard = (first + offset) % gradients.count
            for index in range {
                total[index] =
                    offset == 0 ? gradients[shard][index] : total[index] + gradients[shard][index]
            }
            rounding?.round(
                total.unsafeAddress + range.lowerBound, range.count, first: range.lowerBound,
                node: shard)
        }
    }
    return total.floats().map(\.bitPattern)
}
