import Kernels
import Parameters

/// Attention of queries over keys and values, which are columns of one or two matrices.
struct AttentionStep {
    let attention: Attention
    /// [queries, d], or [queries, 3·d] that hold keys and values as well.
    let query: Variable
    /// [keys, 2·d]; nil where `query` holds them.
    let keyValue: Variable?
    let mask: Mask?
    let weights: Matrix
    let scratch: Matrix
    let output: Variable

    /// The columns that are queries, keys and values.
    static func split(_ query: Matrix, _ keyValue: Matrix?) -> (q: Matrix, k: Matrix, v: Matrix) {
        let others = keyValue ?? query.columns(query.columns / 3..<query.columns)
        let d = others.columns / 2
        return (query.columns(0..<d), others.columns(0..<d), others.columns(d..<2 * d))
    }

    func backward(_ tape: Tape) {
        let dO = tape.take(output)
        let (dQuery, queryPresent) = tape.contribution(query)
        let dKeyValue = keyValue.map { tape.contribution($0) }
        precondition(!queryPresent && dKeyValue?.accumulate != true, "projections are read once")
        let operand = Self.split(query.data, keyValue?.data)
        let gradient = Self.split(dQuery, dKeyValue?.0)
        let operations = 8 * attention.weightCount * operand.q.columns / attention.heads
        tape.measure(.attentionBackward, operations: operations) {
            attention.backward(
                dO, operand.q, operand.k, operand.v, mask: mask, weights: weights,
                scratch: scratch, dQ: gradient.q, dK: gradient.k, dV: gradient.v, tape.multiplier)
        }
        tape.release(dO)
    }
}

extension Tape {
    /// Shapes: see `AttentionStep` → [queries, d].
    func attend(_ attention: Attention, _ query: Variable, _ keyValue: Variable?) -> Variable {
        let operand = AttentionStep.split(query.data, keyValue?.data)
        let output = variable(query.data.rows, operand.q.columns)
        let weights = arena.matrix(1, attention.weightCount)
        let scratch = arena.matrix(1, attention.scratchCount)
        let mask = mask(attention.weightCount)
        let operations = 4 * attention.weightCount * operand.q.columns / attention.heads
        measure(.attentionForward, operations: operations) {
            attention.forward(
                operand.q, operand.k, operand.v, mask: mask, into: output.data, weights: weights,
                scratch: scratch, multiplier)
        }
        record(
            .attention(
                AttentionStep(
                    attention: attention, query: query, keyValue: keyValue, mask: mask,
                    weights: weights, scratch: scratch, output: output)))
        return output
    }
}
