import Kernels
import Parameters

/// Attention of queries over keys and values, which are columns of one or two matrices.
struct AttentionStep {
    let attention: Attention
    /// [queries, d], or with keys and values as well [queries, 3·d], [queries, 2·d] if queries are the keys.
    let query: Variable
    /// [keys, 2·d]; nil where `query` holds them.
    let keyValue: Variable?
    let bias: RelativePositions?
    let mask: Mask?
    let weights: Matrix
    let scratch: Matrix
    let output: Variable

    /// The columns that are queries, keys and values, d each.
    static func split(
        _ query: Matrix, _ keyValue: Matrix?, d: Int
    ) -> (q: Matrix, k: Matrix, v: Matrix) {
        let others = keyValue ?? query.columns(query.columns - 2 * d..<query.columns)
        return (query.columns(0..<d), others.columns(0..<d), others.columns(d..<2 * d))
    }

    func backward(_ tape: Tape) {
        let dO = tape.take(output)
        let (dQuery, queryPresent) = tape.contribution(query)
        let dKeyValue = keyValue.map { tape.contribution($0) }
        precondition(!queryPresent && dKeyValue?.accumulate != true, "projections are read once")
        let operand = Self.split(query.data, keyValue?.data, d: dO.columns)
        let gradient = Self.split(dQuery, dKeyValue?.0, d: dO.columns)
        let operations = 8 * attention.weightCount * operand.q.columns / attention.heads
        let dBias = bias.map { tape.summedSlot($0.weight) }
        let values = bias.map { RelativeBias(buckets: $0.buckets, table: tape.value($0.weight)) }
        tape.measure(.attentionBackward, operations: operations) {
            attention.backward(
                dO, operand.q, operand.k, operand.v, bias: values, mask: mask, weights: weights,
                scratch: scratch, dQ: gradient.q, dK: gradient.k, dV: gradient.v, dBias: dBias,
                tape.multiplier)
        }
        tape.release(dO)
    }
}

/// Relative positions as parameters.
struct RelativePositions {
    let buckets: RelativeBuckets
    let weight: Weight
}

extension Tape {
    /// Shapes: see `AttentionStep` → [queries, d].
    func attend(
        _ attention: Attention, _ query: Variable, _ keyValue: Variable?, d: Int,
        bias: RelativePositions? = nil
    ) -> Variable {
        let operand = AttentionStep.split(query.data, keyValue?.data, d: d)
        let output = variable(query.data.rows, d)
        let weights = arena.matrix(1, attention.weightCount)
        let scratch = arena.matrix(1, attention.scratchCount)
        let mask = attentionMask(attention.weightCount)
        let operations = 4 * attention.weightCount * d / attention.heads
        let values = bias.map { RelativeBias(buckets: $0.buckets, table: value($0.weight)) }
        measure(.attentionForward, operations: operations) {
            attention.forward(
                operand.q, operand.k, operand.v, bias: values, mask: mask, into: output.data,
                weights: weights, scratch: scratch, multiplier)
        }
        watcher?(attention, weights)
        record(
            .attention(
                AttentionStep(
                    attention: attention, query: query, keyValue: keyValue, bias: bias, mask: mask,
                    weights: weights, scratch: scratch, output: output)))
        return output
    }
}

/// Queries and keys turned by their positions, in place.
struct RotationStep {
    /// [tokens, d or more]: its first `columns` are turned.
    let projected: Variable
    let offsets: Offsets
    let columns: Int
    let heads: Int
    let table: Matrix

    /// A turn's transpose is the turn back.
    func backward(_ tape: Tape) {
        let (gradient, present) = tape.contribution(projected)
        precondition(present, "nothing made use of what was turned")
        turn(gradient, inverse: true)
    }

    func turn(_ x: Matrix, inverse: Bool) {
        Rotation.apply(
            x.columns(0..<columns), offsets, heads: heads, table: table, inverse: inverse)
    }
}

extension Tape {
    /// Turns the first `columns` of `x`, which nothing else has read. `heads` counts those in them.
    func rotate(_ x: Variable, _ offsets: Offsets, columns: Int, heads: Int, table: Matrix) {
        let step = RotationStep(
            projected: x, offsets: offsets, columns: columns, heads: heads, table: table)
        step.turn(x.data, inverse: false)
        record(.rotation(step))
    }
}
