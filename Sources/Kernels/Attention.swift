/// Scaled dot-product attention with several heads over packed sequences.
///
/// For each sequence and head: P = softmax(Q·Kᵀ/√d_h), O = (P ∘ mask)·V; with `causal` query i sees
/// keys 0...i. Heads are neighbouring columns. Source: Vaswani et al. (2017), section 3.2.
package struct Attention: Sendable {
    package let queries: Offsets
    package let keys: Offsets
    package let heads: Int
    package let causal: Bool

    package init(queries: Offsets, keys: Offsets, heads: Int, causal: Bool) {
        precondition(queries.sequences == keys.sequences)
        self.queries = queries
        self.keys = keys
        self.heads = heads
        self.causal = causal
    }

    /// Number of probabilities: Σ queries · keys · heads over the sequences.
    package var weightCount: Int {
        (0..<queries.sequences).reduce(0) { $0 + queries[$1].count * keys[$1].count } * heads
    }

    /// Room that `forward` and `backward` need for intermediate results, in floats.
    package var scratchCount: Int {
        2 * (0..<queries.sequences).reduce(0) { max($0, queries[$1].count * keys[$1].count) }
    }

    /// One sequence and head.
    private struct Block {
        let queries, keys, columns: Range<Int>
        /// Where its probabilities begin.
        let start: Int
    }

    @inline(__always) private func forEachBlock(_ columns: Int, _ body: (Block) -> Void) {
        precondition(columns % heads == 0)
        let width = columns / heads
        var start = 0
        for sequence in 0..<queries.sequences {
            let (rows, others) = (queries[sequence], keys[sequence])
            for head in 0..<heads {
                let range = head * width..<(head + 1) * width
                body(Block(queries: rows, keys: others, columns: range, start: start))
                start += rows.count * others.count
            }
        }
    }

    private func block(_ matrix: Matrix, _ rows: Range<Int>, _ columns: Range<Int>) -> Matrix {
        matrix.rows(rows).columns(columns)
    }

    /// Shapes: q, o [queries, d]; k, v [keys, d]; weights 1 × `weightCount`; scratch 1 × `scratchCount`.
    package func forward(
        _ q: Matrix, _ k: Matrix, _ v: Matrix, mask: Mask?, into o: Matrix, weights: Matrix,
        scratch: Matrix
    ) {
        let scale = 1 / Float(q.columns / heads).squareRoot()
        forEachBlock(q.columns) { part in
            let (rows, columns) = (part.queries.count, part.keys.count)
            let p = Matrix(base: weights.base + part.start, rows: rows, columns: columns)
            Product.timesTransposed(
                block(q, part.queries, part.columns), block(k, part.keys, part.columns), into: p,
                scale: scale)
            softmax(p)
            var dropped = p
            if let mask {
                dropped = Matrix(base: scratch.base, rows: rows, columns: columns)
                drop(p.base, mask, part.start, p.count, into: dropped.base)
            }
            Product.times(
                dropped, block(v, part.keys, part.columns),
                into: block(o, part.queries, part.columns))
        }
    }

    /// Overwrites dq, dk, dv with the gradients that follow from do.
    ///
    /// dV = (P∘M)ᵀ·dO; dP = (dO·Vᵀ)∘M; dS = P∘(dP - rowsum(dP∘P)); dQ = dS·K/√d_h; dK = dSᵀ·Q/√d_h.
    package func backward(
        _ dO: Matrix, _ q: Matrix, _ k: Matrix, _ v: Matrix, mask: Mask?, weights: Matrix,
        scratch: Matrix, dQ: Matrix, dK: Matrix, dV: Matrix
    ) {
        let scale = 1 / Float(q.columns / heads).squareRoot()
        forEachBlock(q.columns) { part in
            let (rows, columns) = (part.queries.count, part.keys.count)
            let p = Matrix(base: weights.base + part.start, rows: rows, columns: columns)
            let dS = Matrix(base: scratch.base, rows: rows, columns: columns)
            var dropped = p
            let gradient = block(dO, part.queries, part.columns)
            Product.timesTransposed(gradient, block(v, part.keys, part.columns), into: dS)
            if let mask {
                dropped = Matrix(base: scratch.base + p.count, rows: rows, columns: columns)
                drop(p.base, mask, part.start, p.count, into: dropped.base)
                drop(dS.base, mask, part.start, p.count, into: dS.base)
            }
            Product.transposedTimes(
                dropped, gradient, into: block(dV, part.keys, part.columns))
            softmaxGradient(dS, p)
            Product.times(
                dS, block(k, part.keys, part.columns),
                into: block(dQ, part.queries, part.columns), scale: scale)
            Product.transposedTimes(
                dS, block(q, part.queries, part.columns),
                into: block(dK, part.keys, part.columns), scale: scale)
        }
    }

    private func drop(
        _ source: UnsafeMutablePointer<Float>, _ mask: Mask, _ start: Int, _ count: Int,
        into: UnsafeMutablePointer<Float>
    ) {
        sweep(
            count,
            whole: {
                into.store(source.wide($0) * mask.bits.factors(start + $0, mask.scale), $0)
            },
            part: {
                let value = source.part($0, $1) * mask.bits.factors(start + $0, mask.scale)
                into.store(value, $0, part: $1)
            })
    }

    private func softmax(_ p: Matrix) {
        for row in 0..<p.rows {
            let x = p.row(row)
            let seen = causal ? min(row + 1, p.columns) : p.columns
            var largest = Wide(repeating: -.infinity)
            sweep(
                seen, whole: { largest = largest.larger(x.wide($0)) },
                part: { largest = largest.larger(x.part($0, $1, rest: -.infinity)) })
            let maximum = largest.maximum
            let sum = total(seen) { index, part in
                guard let part else {
                    let value = exponential(x.wide(index) - maximum)
                    x.store(value, index)
                    return value
                }
                var value = exponential(x.part(index, part) - maximum)
                for lane in part..<8 { value[lane] = 0 }
                x.store(value, index, part: part)
                return value
            }
            let factor = 1 / sum
            sweep(
                seen, whole: { x.store(x.wide($0) * factor, $0) },
                part: { x.store(x.part($0, $1) * factor, $0, part: $1) })
            for column in seen..<p.columns { x[column] = 0 }
        }
    }

    /// dS ← P∘(dS - rowsum(dS∘P)), in place.
    private func softmaxGradient(_ dS: Matrix, _ p: Matrix) {
        for row in 0..<p.rows {
            let (slope, weight) = (dS.row(row), p.row(row))
            let product = total(p.columns) { index, part in
                part.map { slope.part(index, $0) * weight.part(index, $0) }
                    ?? slope.wide(index) * weight.wide(index)
            }
            sweep(
                p.columns,
                whole: { slope.store((slope.wide($0) - product) * weight.wide($0), $0) },
                part: {
                    let value = (slope.part($0, $1) - product) * weight.part($0, $1)
                    slope.store(value, $0, part: $1)
                })
        }
    }
}
