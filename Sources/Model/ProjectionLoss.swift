import Kernels
import Parameters

extension Tape {
    /// Rows whose logits exist at the same time.
    static let logitRows = 128

    /// Cross entropy of x·Eᵀ, and its gradients at once: the logits of a block of rows are used up
    /// while they are in the cache, and never exist whole.
    ///
    /// With `scale` (1 / labels of the whole batch) dx and dE are left where the backward pass finds
    /// them. Shapes: x [n, d]; E [V, d]; labels n.
    func projectionLoss(
        _ x: Variable, _ table: Weight, labels: Indices, smoothing: Float, scale: Float
    ) -> CrossEntropy.Sums {
        var sums = CrossEntropy.Sums()
        let rows = x.data.rows
        let whole = buffer(min(rows, Self.logitRows), table.rows)
        let embedding = value(table)
        var start = 0
        while start < rows {
            let range = start..<min(start + Self.logitRows, rows)
            let logits = whole.rows(0..<range.count)
            let block = x.data.rows(range)
            let operations = 2 * logits.count * block.columns
            measure(.logitsForward, operations: operations, floats: logits.count) {
                multiplier.timesTransposed(block, embedding, into: logits)
            }
            measure(.crossEntropy, floats: 4 * logits.count) {
                CrossEntropy.rows(
                    logits, labels: labels.slice(range), smoothing: smoothing,
                    scale: isRecording ? scale : nil, sums: &sums)
            }
            if isRecording {
                let (dE, present) = slot(table)
                measure(.logitsWeight, operations: operations, floats: logits.count) {
                    multiplier.transposedTimes(logits, block, into: dE, accumulate: present)
                }
                let (dx, _) = contribution(x)
                measure(.logitsInput, operations: operations, floats: logits.count) {
                    multiplier.times(logits, embedding, into: dx.rows(range))
                }
            }
            start = range.upperBound
        }
        release(whole)
        return sums
    }

    /// x·Eᵀ whole. Shapes: x [n, d]; E [V, d] → [n, V].
    func logits(_ x: Variable, _ table: Weight) -> Matrix {
        let result = arena.matrix(x.data.rows, table.rows)
        multiplier.timesTransposed(x.data, value(table), into: result)
        return result
    }
}
