import Kernels
import Parameters

extension Tape {
    /// The most rows whose logits exist at the same time. With half as
    /// many the products take 4 % longer:
    /// each block reads the table, and writes its gradient, anew.
    static let logitRows = 256

    /// Cross entropy of x·Eᵀ + b, and its gradients at once: the logits of a block of rows are used up
    /// while they are in the cache, and never exist whole.
    ///
    /// With `scale` (1 / labels of the whole batch) dx, dE and db are left where the backward pass
    /// finds them. Shapes: x [n, d]; E [V, d]; b [1, V]; labels n.
    func projectionLoss(
        _ x: Variable, _ table: Weight, bias: Weight?, labels: Indices, smoothing: Float,
        scale: Float
    ) -> CrossEntropy.Sums {
        var sums = CrossEntropy.Sums()
        let rows = x.data.rows
        let blocks = (rows + Self.logitRows - 1) / Self.logitRows
        let blockRows = (rows + blocks - 1) / blocks
        let whole = buffer(blockRows, table.rows)
        let embedding = value(table)
        let addend = bias.map { value($0) }
        var start = 0
        while start < rows {
            let range = start..<min(start + blockRows, rows)
            let logits = whole.rows(0..<range.count)
            let block = x.data.rows(range)
            let operations = 2 * logits.count * block.columns
            measure(.logitsForward, operations: operations, floats: logits.count) {
                multiplier.timesTransposed(block, embedding, into: logits, bias: addend)
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
                if let bias {
                    let (db, present) = slot(bias)
                    measure(.biasBackward, floats: logits.count) {
                        sumColumns(logits, into: db, accumulate: present)
                    }
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

    /// x·Eᵀ + b whole. Shapes: x [n, d]; E [V, d]; b [1, V] → [n, V].
    func logits(_ x: Variable, _ table: Weight, bias: Weight?) -> Matrix {
        let result = arena.matrix(x.data.rows, table.rows)
        multiplier.timesTransposed(x.data, value(table), into: result, bias: bias.map { value($0) })
        return result
    }
}
