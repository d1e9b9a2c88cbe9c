import CKernels

/// The elements that dropout kept, and the factor of those.
package struct Mask: Sendable {
    /// The bit of each element: 1 for one that is kept.
    package let bits: Bits
    /// The factor of the elements that are kept: 1 / (1 - p).
    package let scale: Float

    /// Makes a mask of its parts.
    package init(bits: Bits, scale: Float) {
        self.bits = bits
        self.scale = scale
    }
}

extension Mask? {
    /// For the loops with wider registers.
    @inline(__always) var wide: dtrain_mask {
        switch self {
        case .none: dtrain_mask(bits: nil, scale: 1)
        case .some(let mask): dtrain_mask(bits: mask.bits.base, scale: mask.scale)
        }
    }

    /// Returns `scale` or 0 for each of the eight elements from `index` on; 1 without dropout.
    @inline(__always) func factors(_ index: Int) -> Wide {
        switch self {
        case .none: Wide(repeating: 1)
        case .some(let mask): mask.bits.factors(index, mask.scale)
        }
    }
}

/// into ← source, or into + source when accumulating. Shapes: all [m, n].
package func add(_ source: Matrix, into: Matrix, accumulate: Bool) {
    precondition(source.rows == into.rows && source.columns == into.columns)
    guard accumulate else { return into.copy(from: source) }
    for row in 0..<source.rows {
        let (from, to) = (source.row(row), into.row(row))
        sweep(
            source.columns,
            whole: { to.store(to.wide($0) + from.wide($0), $0) },
            part: { to.store(to.part($0, $1) + from.part($0, $1), $0, part: $1) })
    }
}

/// into ← source ∘ mask, or into + source ∘ mask when accumulating. Shapes: all [m, n], dense.
package func multiply(_ source: Matrix, _ mask: Mask, into: Matrix, accumulate: Bool) {
    precondition(source.rows == into.rows && source.columns == into.columns)
    precondition(source.isDense && into.isDense && mask.bits.count == source.count)
    let (from, to) = (source.base, into.base)
    guard !Instructions.chosen.isWide else {
        return dtrain_apply_mask(
            from, source.count, Mask?(mask).wide, to, accumulate ? 1 : 0)
    }
    sweep(
        source.count,
        whole: {
            let product = from.wide($0) * mask.bits.factors($0, mask.scale)
            to.store(accumulate ? to.wide($0) + product : product, $0)
        },
        part: {
            let product = from.part($0, $1) * mask.bits.factors($0, mask.scale)
            to.store(accumulate ? to.part($0, $1) + product : product, $0, part: $1)
        })
}

/// into ← column sums of `matrix`, added to it when accumulating. Shapes: [m, n] → [1, n].
package func sumColumns(_ matrix: Matrix, into: Matrix, accumulate: Bool) {
    precondition(into.columns == matrix.columns && into.rows == 1)
    let sums = into.base
    if !accumulate { into.fill(0) }
    for row in 0..<matrix.rows {
        let from = matrix.row(row)
        sweep(
            matrix.columns,
            whole: { sums.store(sums.wide($0) + from.wide($0), $0) },
            part: { sums.store(sums.part($0, $1) + from.part($0, $1), $0, part: $1) })
    }
}

/// into ← source · factor. Shapes: all [m, n].
package func scale(_ source: Matrix, by factor: Float, into: Matrix) {
    precondition(source.rows == into.rows && source.columns == into.columns)
    for row in 0..<source.rows {
        let (from, to) = (source.row(row), into.row(row))
        sweep(
            source.columns,
            whole: { to.store(from.wide($0) * factor, $0) },
            part: { to.store(from.part($0, $1) * factor, $0, part: $1) })
    }
}

/// into ← (a + b) ∘ mask, b added to every row. Shapes: a, into [m, n], dense; b [1, n].
package func addBias(_ a: Matrix, _ b: Matrix, mask: Mask?, into: Matrix) {
    precondition(a.isDense && into.isDense && a.rows == into.rows && b.columns == a.columns)
    precondition(a.columns == into.columns)
    for row in 0..<a.rows {
        let (from, bias, to) = (a.row(row), b.base, into.row(row))
        let start = row * a.columns
        sweep(
            a.columns,
            whole: {
                to.store((from.wide($0) + bias.wide($0)) * mask.factors(start + $0), $0)
            },
            part: {
                let sum = from.part($0, $1) + bias.part($0, $1)
                to.store(sum * mask.factors(start + $0), $0, part: $1)
            })
    }
}

/// Returns Σ of squares, rows in order in Double. Shapes: [m, n].
package func squaredSum(_ matrix: Matrix) -> Double {
    (0..<matrix.rows).reduce(0) { sum, row in
        let x = matrix.row(row)
        return sum
            + Double(
                total(matrix.columns) { index, part in
                    let value = part.map { x.part(index, $0) } ?? x.wide(index)
                    return value * value
                })
    }
}

/// Every row of `matrix` ← `row`. Shapes: [1, n], [m, n].
package func broadcast(_ row: Matrix, into matrix: Matrix) {
    precondition(row.rows == 1 && row.columns == matrix.columns)
    for index in 0..<matrix.rows { matrix.row(index).update(from: row.base, count: row.columns) }
}

/// into[i] += source[i] for float32 in this machine's byte order at any alignment.
///
/// A partial from a neighbour on the ring is added where it lies in its message.
package func accumulate(
    _ source: UnsafeRawPointer, into: UnsafeMutablePointer<Float>, count: Int
) {
    let stride = MemoryLayout<Float>.stride
    sweep(
        count,
        whole: {
            let other = source.loadUnaligned(fromByteOffset: $0 * stride, as: Wide.self)
            into.store(into.wide($0) + other, $0)
        },
        part: {
            for index in $0..<$0 + $1 {
                into[index] += source.loadUnaligned(fromByteOffset: index * stride, as: Float.self)
            }
        })
}

/// into[i] ← a[i] + b[i]; `a` at any alignment, so that a partial sum in a message needs no copy.
package func add(
    _ a: UnsafeRawPointer, _ b: UnsafePointer<Float>, into: UnsafeMutablePointer<Float>, count: Int
) {
    let stride = MemoryLayout<Float>.stride
    let second = UnsafeMutablePointer(mutating: b)
    sweep(
        count,
        whole: {
            let first = a.loadUnaligned(fromByteOffset: $0 * stride, as: Wide.self)
            into.store(first + second.wide($0), $0)
        },
        part: {
            for index in $0..<$0 + $1 {
                let first = a.loadUnaligned(fromByteOffset: index * stride, as: Float.self)
                into[index] = first + second[index]
            }
        })
}
