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

        /// A matrix of queries × keys.
        @inline(__always) func matrix(_ base: UnsafeMutablePointer<Float>) -> Matrix {
            Matrix(base: base, rows: queries.count, columns: keys.count)
        }

        /// The block's part of a matrix with a row a query, or a key.
        @inline(__always) func query(_ all: Matrix) -> Matrix { all.rows(queries).columns(columns) }
        @inline(__always) func key(_ all: Matrix) -> Matrix { all.rows(keys).columns(columns) }
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

    /// Shapes: q, o [queries, d]; k, v [keys, d]; weights 1 × `weightCount`; scratch 1 × `scratchCount`.
    package func forward(
        _ q: Matrix, _ k: Matrix, _ v: Matrix, mask: Mask?, into o: Matrix, weights: Matrix,
        scratch: Matrix, _ multiplier: Multiplier
    ) {
        let scale = 1 / Float(q.columns / heads).squareRoot()
        forEachBlock(q.columns) { part in
            let p = part.matrix(weights.base + part.start)
            multiplier.timesTransposed(
                part.query(q), part.key(k), into: p)
            let dropped = mask == nil ? p : part.matrix(scratch.base)
            for row in 0..<p.rows {
                let softmax = AttentionRow(
                    weights: p.row(row), count: p.columns, scale: scale, mask: mask,
                    start: part.start + row * p.columns)
                softmax.forward(seen: causal ? row + 1 : p.columns, dropped: dropped.row(row))
            }
            multiplier.times(dropped, part.key(v), into: part.query(o))
        }
    }

    /// Overwrites dq, dk, dv with the gradients that follow from do.
    ///
    /// dV = (P∘M)ᵀ·dO; dP = (dO·Vᵀ)∘M; dS = P∘(dP - rowsum(dP∘P)); dQ = dS·K/√d_h; dK = dSᵀ·Q/√d_h.
    package func backward(
        _ dO: Matrix, _ q: Matrix, _ k: Matrix, _ v: Matrix, mask: Mask?, weights: Matrix,
        scratch: Matrix, dQ: Matrix, dK: Matrix, dV: Matrix, _ multiplier: Multiplier
    ) {
        let scale = 1 / Float(q.columns / heads).squareRoot()
        forEachBlock(q.columns) { part in
            let p = part.matrix(weights.base + part.start)
            let dS = part.matrix(scratch.base)
            let dropped = mask == nil ? p : part.matrix(scratch.base + p.count)
            let gradient = part.query(dO)
            multiplier.timesTransposed(gradient, part.key(v), into: dS)
            for row in 0..<p.rows {
                let softmax = AttentionRow(
                    weights: p.row(row), count: p.columns, scale: scale, mask: mask,
                    start: part.start + row * p.columns)
                softmax.backward(dS.row(row), dropped: dropped.row(row))
            }
            multiplier.transposedTimes(dropped, gradient, into: part.key(dV))
            multiplier.times(dS, part.key(k), into: part.query(dQ))
            multiplier.transposedTimes(dS, part.query(q), into: part.key(dK))
        }
    }
}

/// One query's attention weights over `count` keys.
struct AttentionRow {
    let weights: UnsafeMutablePointer<Float>
    let count: Int
    /// 1/√d_h.
    let scale: Float
    let mask: Mask?
    /// Where the mask of this row begins.
    let start: Int

    /// weights ← softmax(scale · weights) over the first `seen` keys, 0 for the others; `dropped` ← weights ∘ mask
    /// if there is a mask.
    @inline(__always) func forward(seen: Int, dropped: UnsafeMutablePointer<Float>) {
        let seen = min(seen, count)
        let x = weights
        var largest = Wide(repeating: -.infinity)
        sweep(
            seen, whole: { largest = largest.larger(x.wide($0)) },
            part: { largest = largest.larger(x.part($0, $1, rest: -.infinity)) })
        let shift = -scale * largest.maximum
        var sum = Wide.zero
        @inline(__always) func weight(_ value: Wide) -> Wide {
            exponential(Wide(repeating: shift).addingProduct(value, Wide(repeating: scale)))
        }
        sweep(
            seen,
            whole: {
                let value = weight(x.wide($0))
                x.store(value, $0)
                sum += value
            },
            part: {
                // e^-∞ would be e^-87: the lanes past the end are cleared instead.
                var value = weight(x.part($0, $1))
                for lane in $1..<8 { value[lane] = 0 }
                x.store(value, $0, part: $1)
                sum += value
            })
        for key in seen..<count { x[key] = 0 }
        finish(1 / sum.total, dropped)
    }

    @inline(__always) private func finish(
        _ factor: Float, _ dropped: UnsafeMutablePointer<Float>
    ) {
        let x = weights
        sweep(
            count,
            whole: {
                let weight = x.wide($0) * factor
                x.store(weight, $0)
                if mask != nil { dropped.store(weight * mask.factors(start + $0), $0) }
            },
            part: {
                let weight = x.part($0, $1) * factor
                x.store(weight, $0, part: $1)
                if mask != nil { dropped.store(weight * mask.factors(start + $0), $0, part: $1) }
            })
    }

    /// slope ← scale · weights ∘ (slope∘mask - Σ slope∘mask∘weights); `dropped` ← weights ∘ mask if there is a mask.
    @inline(__always) func backward(
        _ slope: UnsafeMutablePointer<Float>, dropped: UnsafeMutablePointer<Float>
    ) {
        let x = weights
        var sum = Wide.zero
        sweep(
            count,
            whole: {
                let factor = mask.factors(start + $0)
                let weight = x.wide($0)
                let value = slope.wide($0) * factor
                if mask != nil {
                    slope.store(value, $0)
                    dropped.store(weight * factor, $0)
                }
                sum = sum.addingProduct(value, weight)
            },
            part: {
                let factor = mask.factors(start + $0)
                let weight = x.part($0, $1)
                let value = slope.part($0, $1) * factor
                if mask != nil {
                    slope.store(value, $0, part: $1)
                    dropped.store(weight * factor, $0, part: $1)
                }
                sum = sum.addingProduct(value, weight)
            })
        let product = sum.total
        sweep(
            count,
            whole: { slope.store((slope.wide($0) - product) * (x.wide($0) * scale), $0) },
            part: {
                let value = (slope.part($0, $1) - product) * (x.part($0, $1) * scale)
                slope.store(value, $0, part: $1)
            })
    }
}
