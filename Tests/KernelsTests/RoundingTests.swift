import Kernels
import Testing

/// Rounds to bfloat16 as the definition says, by Double: nearest, of two as near the even one, +0 below 2⁻⁵⁶.
private func roundPlainly(_ x: Float) -> Float {
    guard x.isFinite else { return x }
    guard x.magnitude >= 0x1p-60 else { return 0 }
    let unit = Double(sign: .plus, exponent: Int(x.exponent) - 7, significand: 1)
    let value = Float((Double(x) / unit).rounded(.toNearestOrEven) * unit)
    return value.magnitude < 0x1p-56 ? 0 : value
}

/// The next bfloat16 above the largest is infinity.
private func roundAny(_ x: Float) -> Float {
    guard x.isFinite, x.magnitude >= 0x1.FFp127 else { return roundPlainly(x) }
    return Float(signOf: x, magnitudeOf: .infinity)
}

@Suite("Rounding to bfloat16")
struct RoundingTests {
    private func rounded(_ values: [Float], _ instructions: Instructions) -> [Float] {
        var halves = [UInt16](repeating: 0, count: values.count)
        halves.withUnsafeMutableBufferPointer { to in
            values.withUnsafeBufferPointer {
                guard let from = $0.baseAddress, let to = to.baseAddress else { return }
                round(from, into: to, count: values.count, instructions)
            }
        }
        return halves.map { Float(bitPattern: UInt32($0) << 16) }
    }

    @Test(
        "gives the nearest for every sign, exponent and upper half, by all instructions",
        arguments: Instructions.available)
    func nearest(instructions: Instructions) {
        let ends: [UInt32] = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xC000, 0xFFFF]
        let values = (UInt32(0)...0xFFFF).flatMap { upper in
            ends.map { Float(bitPattern: upper << 16 | $0) }
        }
        let results = rounded(values, instructions)
        var wrong = 0
        for (value, result) in zip(values, results) {
            let isRight =
                value.isNaN ? result.isNaN : result.bitPattern == roundAny(value).bitPattern
            wrong += isRight ? 0 : 1
        }
        #expect(wrong == 0)
    }

    @Test(
        "keeps what is not a number, clears what is small, writes no element too many",
        arguments: Instructions.available)
    func special(instructions: Instructions) {
        let nan = Float(bitPattern: 0x7F80_0001)
        let values: [Float] = [
            nan, -nan, .infinity, -.infinity, 0, -0.0, 0x1p-56, 0x1.FFFFFEp-57, -0x1.FCp-57,
            0x1p-130,
            .greatestFiniteMagnitude,
        ]
        let results = rounded(values, instructions)
        #expect(results[0].isNaN && results[1].isNaN)
        #expect(results[2...3] == [.infinity, -.infinity])
        #expect(results[4...5].allSatisfy { $0.bitPattern == 0 })
        // Rounding comes first.
        #expect(results[6...7] == [0x1p-56, 0x1p-56])
        #expect(results[8...9].allSatisfy { $0.bitPattern == 0 })
        #expect(results[10] == .infinity)
        var halves = [UInt16](repeating: 7, count: 40)
        for count in 0..<33 {
            halves.withUnsafeMutableBufferPointer { to in
                [Float](repeating: 1, count: 33).withUnsafeBufferPointer {
                    guard let from = $0.baseAddress, let to = to.baseAddress else { return }
                    round(from, into: to, count: count, instructions)
                }
            }
            #expect(halves.firstIndex(of: 7) == count)
            halves = [UInt16](repeating: 7, count: 40)
        }
    }
}

/// C ← A·B (+ C) (+ bias) of operands rounded to bfloat16, entry by entry: pairs of depth in order, of
/// each the second element first unless `inOrder`.
private func multiplyPlainly(
    _ a: (_ row: Int, _ k: Int) -> Float, _ b: (_ k: Int, _ column: Int) -> Float, depth: Int,
    into c: Matrix, bias: Matrix? = nil, accumulate: Bool = false, inOrder: Bool = false
) {
    for row in 0..<c.rows {
        for column in 0..<c.columns {
            var sum = accumulate ? c[row, column] : 0
            for at in stride(from: 0, to: depth, by: 256) {
                var chain: Float = 0
                for k in stride(from: at, to: min(at + 256, depth), by: 2) {
                    for next in inOrder ? [k, k + 1] : [k + 1, k] where next < depth {
                        let (x, y) = (roundAny(a(row, next)), roundAny(b(next, column)))
                        chain = chain.addingProduct(x, y)
                    }
                }
                sum = accumulate || at > 0 ? chain + sum : chain
                if at == 0, let bias { sum += bias[0, column] }
            }
            c[row, column] = sum
        }
    }
}

@Suite("Products of bfloat16 add pairs in the order of the instruction, to the bit")
struct RoundedProductTests {
    let lab = Laboratory(seed: 4)

    /// Rows, columns, depth: tails of every kind, odd depths, several blocks of rows and of depth.
    static let shapes = [
        (1, 1, 1), (5, 3, 2), (6, 16, 8), (7, 17, 9), (13, 40, 24), (2, 8, 300), (350, 31, 5),
        (3, 33, 257), (12, 5, 513), (64, 48, 64), (11, 16, 7), (25, 97, 300), (37, 130, 31),
        (23, 100, 17), (4, 35, 3),
    ]

    /// A view whose elements are kept rounded, too; with columns around it that would show.
    private func copied(_ matrix: Matrix) -> (Matrix, [UInt16]) {
        let whole = lab.empty(matrix.rows, matrix.columns + 3)
        whole.columns(0..<matrix.columns).copy(from: matrix)
        var copies = [UInt16](repeating: 0, count: whole.count)
        whole.elements().withUnsafeBufferPointer { from in
            copies.withUnsafeMutableBufferPointer { to in
                guard let from = from.baseAddress, let to = to.baseAddress else { return }
                round(from, into: to, count: whole.count)
            }
        }
        return (whole.columns(0..<matrix.columns), copies)
    }

    @Test(
        "All three forms, with and without what was there and copies, by all instructions",
        arguments: Instructions.available, shapes)
    func agrees(instructions: Instructions, shape: (Int, Int, Int)) {
        let (m, n, k) = shape
        let multiplier = Multiplier(instructions, precision: .bf16)
        let (x, w, dy) = (lab.random(m, k), lab.random(n, k), lab.random(m, n))
        let (view, copies) = copied(w)
        for accumulate in [false, true] {
            let before = (y: lab.random(m, n), dx: lab.random(m, k), dw: lab.random(n, k))
            let plain = (y: lab.copy(before.y), dx: lab.copy(before.dx), dw: lab.copy(before.dw))
            multiplyPlainly(
                { x[$0, $1] }, { w[$1, $0] }, depth: k, into: plain.y, accumulate: accumulate)
            multiplyPlainly(
                { dy[$0, $1] }, { w[$0, $1] }, depth: n, into: plain.dx, accumulate: accumulate)
            multiplyPlainly(
                { dy[$1, $0] }, { x[$0, $1] }, depth: m, into: plain.dw, accumulate: accumulate)
            copies.withUnsafeBufferPointer { copies in
                let kept = Matrix(
                    base: view.base, rows: n, columns: k, stride: view.stride,
                    copies: copies.baseAddress)
                for w in [w, kept] {
                    let (y, dx) = (lab.copy(before.y), lab.copy(before.dx))
                    multiplier.timesTransposed(x, w, into: y, accumulate: accumulate)
                    #expect(haveEqualBits(y, plain.y))
                    multiplier.times(dy, w, into: dx, accumulate: accumulate)
                    #expect(haveEqualBits(dx, plain.dx))
                }
            }
            multiplier.transposedTimes(dy, x, into: before.dw, accumulate: accumulate)
            #expect(haveEqualBits(before.dw, plain.dw))
        }
    }

    @Test(
        "A bias is added once, in float32", arguments: Instructions.available,
        [(7, 17, 9), (6, 32, 300), (15, 70, 40)])
    func bias(instructions: Instructions, shape: (Int, Int, Int)) {
        let (m, n, k) = shape
        let (x, w, b) = (lab.random(m, k), lab.random(n, k), lab.random(1, n))
        let (y, plain) = (lab.empty(m, n), lab.empty(m, n))
        Multiplier(instructions, precision: .bf16).timesTransposed(x, w, into: y, bias: b)
        multiplyPlainly({ x[$0, $1] }, { w[$1, $0] }, depth: k, into: plain, bias: b)
        #expect(haveEqualBits(y, plain))
    }

    @Test("The order of a pair shows: its elements the other way round give other bits")
    func order() {
        let (x, w) = (lab.random(20, 64), lab.random(20, 64))
        let (y, other) = (lab.empty(20, 20), lab.empty(20, 20))
        Multiplier(precision: .bf16).timesTransposed(x, w, into: y)
        multiplyPlainly({ x[$0, $1] }, { w[$1, $0] }, depth: 64, into: other, inOrder: true)
        #expect(!haveEqualBits(y, other))
    }

    /// A number with this exponent, whatever sign and digits.
    private func number(_ exponent: Int) -> Float {
        let digits = UInt32((lab.uniform() + 1) * Float(1 << 22)) & 0x7F_FFFF
        let sign: UInt32 = lab.uniform() < 0 ? 1 << 31 : 0
        return Float(bitPattern: sign | UInt32(exponent + 127) << 23 | digits)
    }

    @Test(
        "Every pair of exponents, from subnormal to the largest, gives the bits of plain sums",
        arguments: Instructions.available)
    func exponents(instructions: Instructions) {
        let multiplier = Multiplier(instructions, precision: .bf16)
        let all = -127...127
        for depth in [2, 3, 6] {
            let (a, b) = (lab.empty(all.count, depth), lab.empty(depth, all.count))
            for exponent in all {
                for k in 0..<depth {
                    a[exponent + 127, k] = number(exponent)
                    b[k, exponent + 127] = number(exponent)
                }
            }
            let (c, plain) = (lab.empty(all.count, all.count), lab.empty(all.count, all.count))
            multiplier.times(a, b, into: c)
            multiplyPlainly({ a[$0, $1] }, { b[$0, $1] }, depth: depth, into: plain)
            let wrong = zip(c.elements(), plain.elements()).count {
                $0.isNaN ? !$1.isNaN : $0.bitPattern != $1.bitPattern
            }
            #expect(wrong == 0)
        }
    }

    @Test("No sum of rounded operands is subnormal or -0, however small they are")
    func neverSubnormal() {
        var (smallest, nonzero) = (Float.infinity, 0)
        for _ in 0..<20_000 {
            var sum: Float = 0
            for k in 0..<8 {
                // Near the limit sums cancel down to the last bit.
                let (x, y) = (roundAny(number(-57 + k % 3)), roundAny(number(-57 + k % 2)))
                sum = sum.addingProduct(x, y)
                #expect(!sum.isSubnormal && sum.bitPattern != 0x8000_0000)
                if sum != 0 { (smallest, nonzero) = (min(smallest, sum.magnitude), nonzero + 1) }
            }
        }
        #expect(smallest < 0x1p-118 && nonzero > 50_000)
        // What clearing is for: without it the next exponent below gives a subnormal sum.
        let below: Float = 0x1.02p-64
        #expect((below * below).isSubnormal)
    }
}
