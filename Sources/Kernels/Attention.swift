import CKernels

/// Scaled dot-product attention with several heads over packed sequences.
///
/// For each sequence and head: P = softmax(Q·Kᵀ/√d_h), O = (P ∘ mask)·V; with `causal` query i sees
/// keys 0...i. Heads are neighbouring columns. Source: Vaswani et al. (2017), section 3.2.
package struct Attention: Sendable {
    /// The sequences of the queries.
    package let queries: Offsets
    /// The sequences of the keys and values, as many as there are of queries.
    package let keys: Offsets
    /// The number of heads, which divides the columns of q, k and v.
    package let heads: Int
    /// Whether query i sees keys 0...i only.
    package let causal: Bool
    /// Whether queries and keys are the same numbers, so that their gradients lie in one place.
    package let sharesQueryKey: Bool

    /// Makes an attention of its parts; queries and keys must have as many sequences.
    package init(
        queries: Offsets, keys: Offsets, heads: Int, causal: Bool, sharesQueryKey: Bool = false
    ) {
        precondition(queries.sequences == keys.sequences)
        self.queries = queries
        self.keys = keys
        self.heads = heads
        self.causal = causal
        self.sharesQueryKey = sharesQueryKey
    }

    /// Returns the entries of a row of weights: one a key, and zeros up to a multiple of eight.
    @inline(__always) static func width(_ keys: Int) -> Int { (keys + 7) & ~7 }

    /// The number of floats for all rows of weights: one row a query and head.
    package var weightCount: Int {
        (0..<queries.sequences).reduce(0) {
            $0 + queries[$1].count * Self.width(keys[$1].count)
        } * heads
    }

    /// The number of floats that `forward` and `backward` need for intermediate results.
    package var scratchCount: Int {
        2
            * (0..<queries.sequences).reduce(0) {
                max($0, queries[$1].count * Self.width(keys[$1].count))
            }
    }

    /// One sequence and head.
    private struct Block {
        let queries, keys, columns: Range<Int>
        let head: Int
        /// The place of its first probability.
        let start: Int

        /// A matrix of queries × keys, and zeros.
        @inline(__always) func matrix(_ base: UnsafeMutablePointer<Float>) -> Matrix {
            Matrix(base: base, rows: queries.count, columns: Attention.width(keys.count))
        }

        /// Its columns that stand for keys.
        @inline(__always) func real(_ matrix: Matrix) -> Matrix { matrix.columns(0..<keys.count) }

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
                body(
                    Block(queries: rows, keys: others, columns: range, head: head, start: start))
                start += rows.count * Self.width(others.count)
            }
        }
    }

    /// Computes O from q, k and v; a `bias` is added to the logits.
    ///
    /// Shapes: q, o [queries, d]; k, v [keys, d]; weights 1 × `weightCount`; scratch 1 × `scratchCount`.
    package func forward(
        _ q: Matrix, _ k: Matrix, _ v: Matrix, bias: RelativeBias? = nil, mask: Mask?,
        into o: Matrix,
        weights: Matrix, scratch: Matrix, _ multiplier: Multiplier
    ) {
        let scale = 1 / Float(q.columns / heads).squareRoot()
        forEachBlock(q.columns) { part in
            let p = part.matrix(weights.base + part.start)
            multiplier.timesTransposed(
                part.query(q), part.key(k), into: p)
            let dropped = mask == nil ? p : part.matrix(scratch.base)
            if let bias {
                for row in 0..<p.rows {
                    bias.add(
                        to: p.row(row), keys: part.keys.count, query: row, head: part.head,
                        factor: 1 / scale)
                }
            }
            softmax(p, part, scale: scale, mask: mask, dropped: dropped)
            multiplier.times(part.real(dropped), part.key(v), into: part.query(o))
        }
    }

    /// Overwrites dq, dk, dv with the gradients that follow from do.
    ///
    /// dV = (P∘M)ᵀ·dO; dP = (dO·Vᵀ)∘M; dS = P∘(dP - rowsum(dP∘P)); dQ = dS·K/√d_h; dK = dSᵀ·Q/√d_h.
    /// A bias's gradient, the sums of dS over its buckets, is added to `dBias`.
    package func backward(
        _ dO: Matrix, _ q: Matrix, _ k: Matrix, _ v: Matrix, bias: RelativeBias? = nil, mask: Mask?,
        weights: Matrix, scratch: Matrix, dQ: Matrix, dK: Matrix, dV: Matrix, dBias: Matrix? = nil,
        _ multiplier: Multiplier
    ) {
        let scale = 1 / Float(q.columns / heads).squareRoot()
        forEachBlock(q.columns) { part in
            let p = part.matrix(weights.base + part.start)
            let dS = part.matrix(scratch.base)
            let dropped = mask == nil ? p : part.matrix(scratch.base + p.count)
            let gradient = part.query(dO)
            multiplier.timesTransposed(gradient, part.key(v), into: dS)
            softmaxBackward(p, part, scale: scale, mask: mask, slope: dS, dropped: dropped)
            if let bias, let dBias {
                for row in 0..<p.rows {
                    bias.collect(
                        dS.row(row), keys: part.keys.count, query: row, head: part.head,
                        factor: 1 / scale, into: dBias)
                }
            }
            multiplier.transposedTimes(dropped, gradient, into: part.key(dV))
            multiplier.times(part.real(dS), part.key(k), into: part.query(dQ))
            multiplier.transposedTimes(
                dS, part.query(q), into: part.key(dK), accumulate: sharesQueryKey)
        }
    }

    /// Row by row: see `AttentionRow.forward`.
    private func softmax(
        _ p: Matrix, _ part: Block, scale: Float, mask: Mask?, dropped: Matrix
    ) {
        let keys = part.keys.count
        guard !Instructions.chosen.isWide else {
            return dtrain_attention_rows(
                p.base, p.rows, keys, p.columns, causal ? 1 : 0, scale, mask.wide, part.start,
                dropped.base)
        }
        for row in 0..<p.rows {
            let softmax = AttentionRow(
                weights: p.row(row), count: p.columns, scale: scale, mask: mask,
                start: part.start + row * p.columns)
            softmax.forward(seen: causal ? min(row + 1, keys) : keys, dropped: dropped.row(row))
        }
    }

    private func softmaxBackward(
        _ p: Matrix, _ part: Block, scale: Float, mask: Mask?, slope: Matrix, dropped: Matrix
    ) {
        guard !Instructions.chosen.isWide else {
            return dtrain_attention_rows_back(
                p.base, p.rows, p.columns, scale, mask.wide, part.start, slope.base, dropped.base)
        }
        for row in 0..<p.rows {
            let softmax = AttentionRow(
                weights: p.row(row), count: p.columns, scale: scale, mask: mask,
                start: part.start + row * p.columns)
            softmax.backward(slope.row(row), dropped: dropped.row(row))
        }
    }

    /// Returns the probabilities that `forward` left. Shapes: [queries, keys] of the sequence.
    package func probabilities(_ weights: Matrix, sequence: Int, head: Int) -> Matrix {
        precondition(head < heads && sequence < queries.sequences, "head \(head) of \(heads)")
        let before = (0..<sequence).reduce(0) {
            $0 + queries[$1].count * Self.width(keys[$1].count) * heads
        }
        let (rows, columns) = (queries[sequence].count, keys[sequence].count)
        let width = Self.width(columns)
        return Matrix(
            base: weights.base + before + head * rows * width, rows: rows, columns: width
        ).columns(0..<columns)
    }
}
