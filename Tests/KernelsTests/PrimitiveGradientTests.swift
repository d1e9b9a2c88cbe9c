import Kernels
import Testing

/// Every primitive's way back against finite differences, at shapes that are no multiples of eight.
@Suite("The backward of every primitive is the slope of its forward")
struct PrimitiveGradientTests {
    let lab = Laboratory(seed: 1)
    let multiplier = Multiplier()

    @Test("Product: all three forms, fresh and accumulated", arguments: [(5, 7, 9), (13, 24, 17)])
    func product(shape: (Int, Int, Int)) {
        let (m, k, n) = shape
        let (x, w, dy) = (lab.random(m, k), lab.random(n, k), lab.random(m, n))
        let y = lab.empty(m, n)
        func value() -> Double {
            multiplier.timesTransposed(x, w, into: y)
            return dot(y, dy)
        }
        let (dx, dw) = (lab.empty(m, k), lab.empty(n, k))
        multiplier.times(dy, w, into: dx)
        multiplier.transposedTimes(dy, x, into: dw)
        lab.check("x", x, dx, value: value)
        lab.check("w", w, dw, value: value)
        let twice = lab.copy(dw)
        multiplier.transposedTimes(dy, x, into: twice, accumulate: true)
        #expect(zip(twice.elements(), dw.elements()).allSatisfy { abs($0 - 2 * $1) < 1e-4 })
    }

    @Test(
        "Activation with bias and dropout",
        arguments: Activation.allCases)
    func activation(function: Activation) {
        let (rows, columns) = (6, 21)
        let (x, b, dy) = (
            lab.random(rows, columns), lab.random(1, columns), lab.random(rows, columns)
        )
        for mask in [nil, lab.mask(rows * columns)] {
            func run(_ h: Matrix, keepSlope: Bool) -> Double {
                let y = lab.empty(rows, columns)
                function.forward(h, bias: b, mask: mask, into: y, keepSlope: keepSlope)
                return dot(y, dy)
            }
            let slope = lab.copy(x)
            _ = run(slope, keepSlope: true)
            let (dx, db) = (lab.copy(dy), lab.empty(1, columns))
            Activation.backward(dx, slope: slope, dBias: db, accumulate: false)
            // A kink between two measured points is no error of the slope: small steps for ReLU.
            let step: Float = function == .relu ? 5e-5 : 4e-3
            lab.check("x", x, dx, step: step) { run(lab.copy(x), keepSlope: false) }
            lab.check("b", b, db, step: step) { run(lab.copy(x), keepSlope: false) }
        }
    }

    @Test("LayerNorm", arguments: [8, 21, 32])
    func normalisation(columns: Int) {
        let rows = 5
        let (x, dy) = (lab.random(rows, columns), lab.random(rows, columns))
        let (gain, bias) = (lab.random(1, columns, around: 1), lab.random(1, columns))
        let (y, statistics) = (lab.empty(rows, columns), lab.empty(rows, 2))
        func value() -> Double {
            Normalisation.forward(x, gain: gain, bias: bias, into: y, statistics: statistics)
            return dot(y, dy)
        }
        _ = value()
        let (dx, dGain, dBias) = (
            lab.empty(rows, columns), lab.empty(1, columns), lab.empty(1, columns)
        )
        dGain.fill(0)
        dBias.fill(0)
        Normalisation.backward(
            dy, x, gain: gain, statistics: statistics, into: dx, accumulate: false, dGain: dGain,
            dBias: dBias)
        lab.check("x", x, dx, value: value)
        lab.check("gain", gain, dGain, value: value)
        lab.check("bias", bias, dBias, value: value)
    }

    @Test("Residual sum with dropout, and the norm behind it")
    func residual() {
        let (rows, columns) = (5, 19)
        let (x, a, b) = (
            lab.random(rows, columns), lab.random(rows, columns), lab.random(1, columns)
        )
        let (gain, bias) = (lab.random(1, columns, around: 1), lab.random(1, columns))
        let (dSum, dy) = (lab.random(rows, columns), lab.random(rows, columns))
        let mask = lab.mask(rows * columns)
        let (sum, y) = (lab.empty(rows, columns), lab.empty(rows, columns))
        let statistics = lab.empty(rows, 2)
        func value() -> Double {
            Normalisation.residualForward(
                x, a, b, mask: mask, gain: gain, bias: bias, sum: sum, into: y,
                statistics: statistics)
            return dot(sum, dSum) + dot(y, dy)
        }
        _ = value()
        let (dGain, dBias) = (lab.empty(1, columns), lab.empty(1, columns))
        dGain.fill(0)
        dBias.fill(0)
        let dx = lab.copy(dSum)
        Normalisation.backward(
            dy, sum, gain: gain, statistics: statistics, into: dx, accumulate: true, dGain: dGain,
            dBias: dBias)
        let (da, db) = (lab.empty(rows, columns), lab.empty(1, columns))
        multiply(dx, mask, into: da, accumulate: false)
        sumColumns(da, into: db, accumulate: false)
        lab.check("x", x, dx, value: value)
        lab.check("a", a, da, value: value)
        lab.check("b", b, db, value: value)
        lab.check("gain", gain, dGain, value: value)
    }

    @Test("Embedding with positions and dropout")
    func embedding() {
        let columns = 13
        let (table, places) = (lab.random(6, columns), lab.random(4, columns))
        let ids = lab.arena.indices([3, 1, 3, 5, 0, 3, 2])
        let offsets = lab.arena.offsets([0, 3, 7])
        let mask = lab.mask(7 * columns)
        let (y, dy) = (lab.empty(7, columns), lab.random(7, columns))
        func value() -> Double {
            Embedding.forward(
                ids, offsets, table: table, positions: places, scale: 3, mask: mask, into: y)
            return dot(y, dy)
        }
        let dTable = lab.empty(6, columns)
        dTable.fill(0)
        Embedding.backward(dy, ids, scale: 3, mask: mask, dTable: dTable)
        lab.check("table", table, dTable, value: value)
    }

    @Test("Label-smoothed cross entropy", arguments: [Float(0), 0.1])
    func crossEntropy(smoothing: Float) {
        let (rows, classes) = (5, 37)
        let x = lab.random(rows, classes)
        let labels = lab.arena.indices([0, 36, 7, 12, 7])
        func value() -> Double {
            var sums = CrossEntropy.Sums()
            CrossEntropy.rows(
                lab.copy(x), labels: labels, smoothing: smoothing, scale: nil, sums: &sums)
            return 0.25 * sums.smoothed
        }
        let dx = lab.copy(x)
        var sums = CrossEntropy.Sums()
        CrossEntropy.rows(dx, labels: labels, smoothing: smoothing, scale: 0.25, sums: &sums)
        lab.check("logits", x, dx, value: value)
        #expect(abs(0.25 * sums.smoothed - value()) < 1e-9)
    }

    /// Queries and keys of each sequence; the last case has more than one register's worth.
    static let lengths: [(queries: [Int], keys: [Int], causal: Bool)] = [
        ([3, 1, 5], [3, 1, 5], true), ([3, 1, 5], [4, 9, 2], false), ([33, 18], [33, 18], true),
        ([16, 40], [35, 11], false),
    ]

    @Test("Attention: masked and crossed, with and without dropout", arguments: lengths)
    func attention(queries: [Int], keys: [Int], causal: Bool) {
        for (heads, width) in [(2, 12), (1, 7), (2, 32), (1, 64)] {
            let offsets = [queries, keys].map { lengths in
                lab.arena.offsets(lengths.reduce(into: [0]) { $0.append($0.last! + $1) })
            }
            let attention = Attention(
                queries: offsets[0], keys: offsets[1], heads: heads, causal: causal)
            for mask in [nil, lab.mask(attention.weightCount)] {
                check(attention, heads * width, mask)
            }
        }
    }

    private func check(_ attention: Attention, _ d: Int, _ mask: Mask?) {
        let (m, n) = (attention.queries.tokens, attention.keys.tokens)
        let (q, k, v) = (lab.random(m, d), lab.random(n, d), lab.random(n, d))
        let (o, dO) = (lab.empty(m, d), lab.random(m, d))
        let weights = lab.empty(1, attention.weightCount)
        let scratch = lab.empty(1, attention.scratchCount)
        func value() -> Double {
            attention.forward(
                q, k, v, mask: mask, into: o, weights: weights, scratch: scratch, multiplier)
            return dot(o, dO)
        }
        _ = value()
        let (dQ, dK, dV) = (lab.empty(m, d), lab.empty(n, d), lab.empty(n, d))
        attention.backward(
            dO, q, k, v, mask: mask, weights: weights, scratch: scratch, dQ: dQ, dK: dK, dV: dV,
            multiplier)
        let kept = lab.copy(weights)
        lab.check("q", q, dQ, value: value)
        lab.check("k", k, dK, value: value)
        lab.check("v", v, dV, value: value)
        weights.copy(from: kept)
    }
}
