import Kernels
import Testing

/// C ← A·B (+ C) (+ bias), entry by entry: what `Multiplier` must give to the bit.
private func multiplyPlainly(
    _ a: (_ row: Int, _ k: Int) -> Float, _ b: (_ k: Int, _ column: Int) -> Float, depth: Int,
    into c: Matrix, bias: Matrix? = nil, accumulate: Bool = false
) {
    for row in 0..<c.rows {
        for column in 0..<c.columns {
            var sum = accumulate ? c[row, column] : 0
            for at in stride(from: 0, to: depth, by: 256) {
                var chain: Float = 0
                for k in at..<min(at + 256, depth) {
                    chain = chain.addingProduct(a(row, k), b(k, column))
                }
                sum = accumulate || at > 0 ? chain + sum : chain
                if at == 0, let bias { sum += bias[0, column] }
            }
            c[row, column] = sum
        }
    }
}

@Suite("Our products are one chain of fused multiply-adds an entry and block of depth, to the bit")
struct MultiplierTests {
    let lab = Laboratory(seed: 3)

    /// Rows, columns, depth: tails of every kind, several blocks of rows and of depth.
    static let shapes = [
        (1, 1, 1), (5, 3, 2), (6, 16, 8), (7, 17, 9), (13, 40, 24), (2, 8, 300), (350, 31, 5),
        (3, 33, 257), (12, 5, 513), (64, 48, 64), (700, 20, 260), (11, 16, 7), (25, 97, 300),
        (37, 130, 31), (23, 100, 17),
    ]

    @Test(
        "An operand that was packed once gives the same bits", arguments: Instructions.available,
        shapes)
    func packed(instructions: Instructions, shape: (Int, Int, Int)) {
        let (m, n, k) = shape
        let (x, w, bias) = (lab.random(m, k), lab.random(n, k), lab.random(1, n))
        for precision in [Precision.f32, .bf16] {
            let multiplier = Multiplier(instructions, precision: precision)
            let operand = PackedOperand(w, instructions, precision: precision)
            for bias in [nil, bias] {
                let (once, each) = pair(m, n)
                multiplier.timesTransposed(x, operand, into: once, bias: bias)
                multiplier.timesTransposed(x, w, into: each, bias: bias)
                #expect(haveEqualBits(once, each))
            }
        }
    }

    @Test("Whole numbers of 8 bits are multiplied exactly, with a scale a row", arguments: shapes)
    func quantised(shape: (Int, Int, Int)) {
        let (m, n, k) = shape
        let (x, w, bias) = (lab.random(m, k), lab.random(n, k), lab.random(1, n))
        /// The whole numbers of a row, and its scale.
        func whole(_ a: Matrix, _ row: Int) -> (numbers: [Int], scale: Float) {
            let highest = (0..<k).map { abs(a[row, $0]) }.max() ?? 0
            let factor = 127 / highest
            return (
                (0..<k).map { Int((a[row, $0] * factor).rounded(.toNearestOrEven)) }, highest / 127
            )
        }
        let (left, right) = ((0..<m).map { whole(x, $0) }, (0..<n).map { whole(w, $0) })
        let (found, expected) = pair(m, n)
        Multiplier().timesTransposed(
            x, PackedOperand(w, quantisation: .int8), into: found, bias: bias)
        for row in 0..<m {
            for column in 0..<n {
                let sum = zip(left[row].numbers, right[column].numbers).reduce(0) {
                    $0 + $1.0 * $1.1
                }
                expected[row, column] =
                    Float(sum) * (right[column].scale * left[row].scale) + bias[0, column]
            }
        }
        #expect(haveEqualBits(found, expected))
    }

    @Test(
        "All three forms, with and without what was there, by all instructions",
        arguments: Instructions.available, shapes)
    func agrees(instructions: Instructions, shape: (Int, Int, Int)) {
        let (m, n, k) = shape
        let multiplier = Multiplier(instructions)
        let (x, w, dy) = (lab.random(m, k), lab.random(n, k), lab.random(m, n))
        for accumulate in [false, true] {
            let (y, plainY) = pair(m, n)
            multiplier.timesTransposed(x, w, into: y, accumulate: accumulate)
            multiplyPlainly(
                { x[$0, $1] }, { w[$1, $0] }, depth: k, into: plainY, accumulate: accumulate)
            #expect(haveEqualBits(y, plainY))
            let (dx, plainDx) = pair(m, k)
            multiplier.times(dy, w, into: dx, accumulate: accumulate)
            multiplyPlainly(
                { dy[$0, $1] }, { w[$0, $1] }, depth: n, into: plainDx, accumulate: accumulate)
            #expect(haveEqualBits(dx, plainDx))
            let (dw, plainDw) = pair(n, k)
            multiplier.transposedTimes(dy, x, into: dw, accumulate: accumulate)
            multiplyPlainly(
                { dy[$1, $0] }, { x[$0, $1] }, depth: m, into: plainDw, accumulate: accumulate)
            #expect(haveEqualBits(dw, plainDw))
        }
    }

    private func pair(_ rows: Int, _ columns: Int) -> (Matrix, Matrix) {
        let first = lab.random(rows, columns)
        return (first, lab.copy(first))
    }

    @Test(
        "A bias is added once to every row", arguments: Instructions.available,
        [(7, 17, 9), (6, 32, 300), (15, 70, 40)])
    func bias(instructions: Instructions, shape: (Int, Int, Int)) {
        let (m, n, k) = shape
        let (x, w, b) = (lab.random(m, k), lab.random(n, k), lab.random(1, n))
        let (y, plain) = (lab.empty(m, n), lab.empty(m, n))
        Multiplier(instructions).timesTransposed(x, w, into: y, bias: b)
        multiplyPlainly({ x[$0, $1] }, { w[$1, $0] }, depth: k, into: plain, bias: b)
        #expect(haveEqualBits(y, plain))
    }

    @Test(
        "Views into wider matrices are read and written inside their borders only",
        arguments: Instructions.available)
    func views(instructions: Instructions) {
        let multiplier = Multiplier(instructions)
        for (m, n, k) in [(9, 21, 12), (30, 100, 300)] {
            // What lies around the operands would show in every sum that it reached.
            let (xs, ws, dys) = (lab.empty(m, k + 9), lab.empty(n, k + 5), lab.empty(m, n + 7))
            let x = xs.columns(4..<4 + k)
            let w = ws.columns(5..<5 + k)
            let dy = dys.columns(3..<3 + n)
            x.copy(from: lab.random(m, k))
            w.copy(from: lab.random(n, k))
            dy.copy(from: lab.random(m, n))
            let (y, plainY) = pair(m, n + 12)
            multiplier.timesTransposed(x, w, into: inner(y))
            multiplyPlainly({ x[$0, $1] }, { w[$1, $0] }, depth: k, into: inner(plainY))
            #expect(haveEqualBits(y, plainY))
            let (dx, plainDx) = pair(m, k + 12)
            multiplier.times(dy, w, into: inner(dx))
            multiplyPlainly({ dy[$0, $1] }, { w[$0, $1] }, depth: n, into: inner(plainDx))
            #expect(haveEqualBits(dx, plainDx))
            let (dw, plainDw) = pair(n, k + 12)
            multiplier.transposedTimes(dy, x, into: inner(dw))
            multiplyPlainly({ dy[$1, $0] }, { x[$0, $1] }, depth: m, into: inner(plainDw))
            #expect(haveEqualBits(dw, plainDw))
        }
    }

    private func inner(_ whole: Matrix) -> Matrix { whole.columns(5..<whole.columns - 7) }

    @Test(
        "Columns past B's rows become zeros, rows of A past C's are left out",
        arguments: Instructions.available, [(5, 13, 16, 9), (32, 33, 40, 64), (20, 3, 24, 8)])
    func padding(instructions: Instructions, shape: (Int, Int, Int, Int)) {
        let (m, n, width, k) = shape
        let multiplier = Multiplier(instructions)
        let (x, w, y) = (lab.random(m, k), lab.random(n, k), lab.empty(m, width))
        multiplier.timesTransposed(x, w, into: y)
        let plain = lab.empty(m, width)
        plain.fill(0)
        multiplyPlainly({ x[$0, $1] }, { w[$1, $0] }, depth: k, into: plain.columns(0..<n))
        #expect(haveEqualBits(y, plain))
        let (dw, plainDw) = pair(n, k)
        multiplier.transposedTimes(y, x, into: dw)
        multiplyPlainly({ y[$1, $0] }, { x[$0, $1] }, depth: m, into: plainDw)
        #expect(haveEqualBits(dw, plainDw))
    }

    @Test("Without depth C becomes zero, or stays", arguments: Instructions.available)
    func empty(instructions: Instructions) {
        let multiplier = Multiplier(instructions)
        let (x, w, c) = (lab.random(3, 0), lab.random(4, 0), lab.random(3, 4))
        let before = lab.copy(c)
        multiplier.timesTransposed(x, w, into: c, accumulate: true)
        #expect(haveEqualBits(c, before))
        multiplier.timesTransposed(x, w, into: c)
        #expect(c.elements().allSatisfy { $0 == 0 })
    }
}

/// Whether all elements have the same bits.
func haveEqualBits(_ a: Matrix, _ b: Matrix) -> Bool {
    a.elements().map(\.bitPattern) == b.elements().map(\.bitPattern)
}
