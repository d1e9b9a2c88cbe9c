import CKernels

/// Rows of whole numbers from -127 to 127, each row with a scale: x ≈ scale · q.
///
///     scale = max |x| / 127,   q = x / scale, rounded to nearest, halves to even
///
/// Two neighbours of a row share a word, 16 bits each, the first in the lower half; an odd depth is filled
/// up with a zero. A row of zeros has scale 0. What is no number counts as 0.
/// Source: Dettmers et al. 2022, "LLM.int8()", section 2.1 (vector-wise quantisation).
final class QuantisedRows {
    private(set) var words: UnsafeMutablePointer<Int32>
    private(set) var scales: UnsafeMutablePointer<Float>
    private var capacity = (words: 1, rows: 1)

    init() {
        words = .allocate(capacity: 1)
        scales = .allocate(capacity: 1)
    }

    deinit {
        words.deallocate()
        scales.deallocate()
    }

    /// The words of a row of so many elements.
    static func words(_ depth: Int) -> Int { (depth + 1) / 2 }

    /// Quantises the rows of a matrix, in place of those before.
    func quantise(_ matrix: Matrix) {
        let perRow = Self.words(matrix.columns)
        reserve(words: perRow * matrix.rows, rows: matrix.rows)
        for row in 0..<matrix.rows {
            scales[row] = Self.quantise(
                matrix.row(row), count: matrix.columns, into: words + row * perRow)
        }
    }

    private func reserve(words count: Int, rows: Int) {
        if count > capacity.words {
            words.deallocate()
            words = .allocate(capacity: count)
            capacity.words = count
        }
        if rows > capacity.rows {
            scales.deallocate()
            scales = .allocate(capacity: rows)
            capacity.rows = rows
        }
    }

    private static func quantise(
        _ row: UnsafeMutablePointer<Float>, count: Int, into words: UnsafeMutablePointer<Int32>
    ) -> Float {
        var largest = Wide.zero
        sweep(count) {
            largest = magnitude(row.wide($0)).larger(largest)
        } part: {
            largest = magnitude(row.part($0, $1)).larger(largest)
        }
        let highest = largest.maximum
        guard highest > 0, highest.isFinite else {
            words.update(repeating: 0, count: Self.words(count))
            return 0
        }
        let factor = Wide(repeating: 127 / highest)
        let halves = UnsafeMutableRawPointer(words).assumingMemoryBound(to: Int16.self)
        var index = 0
        while index + 8 <= count {
            UnsafeMutableRawPointer(halves + index).storeBytes(
                of: whole(row.wide(index) * factor), as: SIMD8<Int16>.self)
            index += 8
        }
        if index < count {
            let last = whole(row.part(index, count - index) * factor)
            for lane in 0..<count - index { halves[index + lane] = last[lane] }
        }
        if count & 1 == 1 { halves[count] = 0 }
        return highest / 127
    }

    /// |x|, 0 for what is no number.
    @inline(__always) private static func magnitude(_ x: Wide) -> Wide {
        let positive = x.replacing(with: -x, where: x .< 0)
        return positive.replacing(with: 0, where: positive .!= positive)
    }

    /// x rounded, for |x| below 2²²: adding 1.5·2²³ leaves the integer in the lowest bits.
    @inline(__always) private static func whole(_ x: Wide) -> SIMD8<Int16> {
        let number = x.replacing(with: 0, where: x .!= x)
        let shifted = number + Wide(repeating: 12_582_912)
        let bits = unsafeBitCast(shifted, to: SIMD8<Int32>.self)
        return SIMD8<Int16>(truncatingIfNeeded: bits &- 0x4B40_0000)
    }
}

/// The right operand of products C ← A·Bᵀ as whole numbers of 8 bits, a scale a row of B.
///
/// Sums of their products are exact, so all processors give the same bits. Read-only.
final class QuantisedOperand: @unchecked Sendable {
    private let panels: UnsafeMutablePointer<Int32>
    private let scales: UnsafeMutablePointer<Float>
    let columns, depth: Int

    /// Quantises B. Shape: [n, k].
    init(_ b: Matrix) {
        // 2³¹ / 127² sums of products fit into 32 bits.
        precondition(b.columns < 1 << 16, "\(b.columns) deep")
        let (rows, width) = (QuantisedRows(), TileShape.columns)
        rows.quantise(b)
        let words = QuantisedRows.words(b.columns)
        let padded = (b.rows + width - 1) / width * width
        columns = b.rows
        depth = b.columns
        panels = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, padded * words) * MemoryLayout<Int32>.stride, alignment: 64
        ).bindMemory(to: Int32.self, capacity: max(1, padded * words))
        scales = .allocate(capacity: max(1, padded))
        for column in 0..<padded {
            scales[column] = column < b.rows ? rows.scales[column] : 0
            let panel = panels + column / width * width * words + column % width
            for word in 0..<words {
                panel[word * width] = column < b.rows ? rows.words[column * words + word] : 0
            }
        }
    }

    deinit {
        panels.deallocate()
        scales.deallocate()
    }

    /// C ← A·Bᵀ (+ bias in every row), A quantised row by row.
    func multiply(_ a: Matrix, _ rows: QuantisedRows, bias: Matrix?, into c: Matrix) {
        rows.quantise(a)
        var product = dtrain_int8_product(
            a: rows.words, a_scales: rows.scales, panels: panels, b_scales: scales,
            bias: bias?.base, c: c.base, c_row: c.stride, rows: a.rows, columns: columns,
            words: QuantisedRows.words(depth))
        dtrain_multiply_int8(&product)
    }
}
