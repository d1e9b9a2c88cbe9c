import Kernels
import Testing

/// The primitives of the choices that are not the default, against finite differences and definitions.
@Suite("The backward of every other choice is the slope of its forward")
struct ChoiceGradientTests {
    let lab = Laboratory(seed: 2)
    let multiplier = Multiplier()

    @Test("SwiGLU with bias and dropout", arguments: [8, 21])
    func gated(width: Int) {
        let rows = 6
        let (x, b) = (lab.random(rows, 2 * width), lab.random(1, 2 * width))
        let dy = lab.random(rows, width)
        for mask in [nil, lab.mask(rows * width)] {
            func run(_ h: Matrix, keepSlope: Bool) -> Double {
                let y = lab.empty(rows, width)
                GatedActivation.forward(h, bias: b, mask: mask, into: y, keepSlope: keepSlope)
                return dot(y, dy)
            }
            let slope = lab.copy(x)
            _ = run(slope, keepSlope: true)
            GatedActivation.backward(dy, slope: slope)
            let db = lab.empty(1, 2 * width)
            sumColumns(slope, into: db, accumulate: false)
            lab.check("x", x, slope) { run(lab.copy(x), keepSlope: false) }
            lab.check("b", b, db) { run(lab.copy(x), keepSlope: false) }
        }
    }

    @Test("RMSNorm", arguments: [8, 21, 32])
    func rootMeanSquare(columns: Int) {
        let rows = 5
        let (x, dy) = (lab.random(rows, columns), lab.random(rows, columns))
        let gain = lab.random(1, columns, around: 1)
        let (y, inverse) = (lab.empty(rows, columns), lab.empty(rows, 1))
        func value() -> Double {
            RootMeanSquare.forward(x, gain: gain, into: y, inverse: inverse)
            return dot(y, dy)
        }
        _ = value()
        let squares = (0..<columns).reduce(Float(0)) { $0 + x[2, $1] * x[2, $1] }
        let root = (squares / Float(columns) + 1e-5).squareRoot()
        #expect(abs(y[2, 3] - x[2, 3] / root * gain[0, 3]) < 1e-5)
        let (dx, dGain) = (lab.empty(rows, columns), lab.empty(1, columns))
        dGain.fill(0)
        RootMeanSquare.backward(
            dy, x, gain: gain, inverse: inverse, into: dx, accumulate: false, dGain: dGain)
        lab.check("x", x, dx, value: value)
        lab.check("gain", gain, dGain, value: value)
        let twice = lab.copy(dx)
        RootMeanSquare.backward(
            dy, x, gain: gain, inverse: inverse, into: twice, accumulate: true, dGain: dGain)
        #expect(zip(twice.elements(), dx.elements()).allSatisfy { abs($0 - 2 * $1) < 1e-4 })
    }

    @Test("BatchNorm over the rows", arguments: [(5, 8), (7, 21), (1, 9)])
    func batch(shape: (Int, Int)) {
        let (rows, columns) = shape
        let (x, dy) = (lab.random(rows, columns), lab.random(rows, columns))
        let (gain, bias) = (lab.random(1, columns, around: 1), lab.random(1, columns))
        let y = lab.empty(rows, columns)
        let (mean, variance) = (lab.empty(1, columns), lab.empty(1, columns))
        let inverse = lab.empty(1, columns)
        func value() -> Double {
            BatchNormalisation.statistics(x, mean: mean, variance: variance)
            BatchNormalisation.inverse(of: variance, into: inverse)
            BatchNormalisation.forward(
                x, mean: mean, inverse: inverse, gain: gain, bias: bias, into: y)
            return dot(y, dy)
        }
        _ = value()
        let column = (0..<rows).map { x[$0, 4] }
        let expected = column.reduce(0, +) / Float(rows)
        #expect(abs(mean[0, 4] - expected) < 1e-6)
        let squares = column.reduce(0) { $0 + ($1 - expected) * ($1 - expected) }
        #expect(abs(variance[0, 4] - squares / Float(rows)) < 1e-6)
        let (dx, scratch) = (lab.empty(rows, columns), lab.empty(2, columns))
        let (dGain, dBias) = (lab.empty(1, columns), lab.empty(1, columns))
        dGain.fill(0)
        dBias.fill(0)
        BatchNormalisation.backward(
            dy, x, mean: mean, inverse: inverse, gain: gain, into: dx, accumulate: false,
            dGain: dGain, dBias: dBias, scratch: scratch)
        lab.check("x", x, dx, tolerance: 3e-3, value: value)
        lab.check("gain", gain, dGain, value: value)
        lab.check("bias", bias, dBias, value: value)
    }

    @Test("Learned positions gather what their tokens got")
    func positions() {
        let offsets = lab.arena.offsets([0, 3, 4, 9])
        let ids = lab.arena.indices([0, 1, 2, 0, 1, 1, 2, 2, 0])
        let (table, positions) = (lab.random(3, 11), lab.random(6, 11))
        let (dy, y) = (lab.random(9, 11), lab.empty(9, 11))
        let mask = lab.mask(99)
        let dPositions = lab.empty(6, 11)
        dPositions.fill(0)
        Embedding.positionsBackward(dy, offsets, mask: mask, dPositions: dPositions)
        lab.check("positions", positions, dPositions) {
            Embedding.forward(
                ids, offsets, table: table, positions: positions, scale: 2, mask: mask, into: y)
            return dot(y, dy)
        }
    }

    @Test("A rotation keeps lengths, makes products depend on the distance, and turns back")
    func rotation() {
        let (heads, width, count) = (2, 6, 9)
        let angles = lab.arena.matrix(count, width)
        for position in 0..<count {
            for pair in 0..<width / 2 {
                let angle = Float(position) * [1, 0.3, 0.01][pair]
                angles[position, 2 * pair] = cosine(angle)
                angles[position, 2 * pair + 1] = cosine(angle - .pi / 2)
            }
        }
        let (q, k) = (lab.random(1, heads * width), lab.random(1, heads * width))
        func product(_ first: Int, _ second: Int) -> Double {
            let (a, b) = (lab.copy(q), lab.copy(k))
            Rotation.turn(a, heads: heads, table: angles, position: first, inverse: false)
            Rotation.turn(b, heads: heads, table: angles, position: second, inverse: false)
            return dot(a, b)
        }
        #expect(abs(product(0, 3) - product(5, 8)) < 1e-4)
        #expect(abs(product(0, 3) - product(3, 0)) > 1e-3)
        let x = lab.random(count, heads * width)
        let turned = lab.copy(x)
        let offsets = lab.arena.offsets([0, 4, 9])
        Rotation.apply(turned, offsets, heads: heads, table: angles, inverse: false)
        #expect(abs(turned[0, 0] - x[0, 0]) < 1e-6 && abs(turned[4, 1] - x[4, 1]) < 1e-6)
        #expect(abs(turned[5, 0] - x[5, 0]) > 1e-3)
        #expect(abs(norm(turned) - norm(x)) < 1e-4)
        Rotation.apply(turned, offsets, heads: heads, table: angles, inverse: true)
        #expect(isClose(turned, x))
    }

    private func cosine(_ angle: Float) -> Float {
        // Of the half angle by its series, twice doubled: the tests have no C library.
        let x = Double(angle) / 16
        var value = 1 - x * x / 2 + x * x * x * x / 24 - x * x * x * x * x * x / 720
        for _ in 0..<4 { value = 2 * value * value - 1 }
        return Float(value)
    }

    @Test("Small distances have buckets of their own, large ones share, from 128 on the last")
    func buckets() {
        let causal = RelativeBuckets(positions: 400, causal: true)
        #expect((0...15).allSatisfy { causal[-$0] == $0 })
        #expect(causal[-16] == 16 && causal[-127] == 31 && causal[-399] == 31 && causal[7] == 0)
        let both = RelativeBuckets(positions: 400, causal: false)
        #expect((0...7).allSatisfy { both[-$0] == $0 })
        #expect(both[1] == 17 && both[-399] == 15 && both[399] == 31)
        // T5's own figures: distances of 8, 20 and 100 to either side.
        #expect([both[-8], both[-20], both[-100]] == [8, 10, 15])
        #expect([both[8], both[20], both[100]] == [24, 26, 31])
    }

    @Test(
        "Attention with relative positions and shared queries and keys", arguments: [true, false])
    func attention(causal: Bool) {
        let (heads, d) = (2, 10)
        let offsets = lab.arena.offsets([0, 3, 4, 9])
        let attention = Attention(
            queries: offsets, keys: offsets, heads: heads, causal: causal, sharesQueryKey: true)
        let (x, dy) = (lab.random(9, 2 * d), lab.random(9, d))
        let table = lab.random(heads, RelativeBuckets.count)
        let bias = RelativeBias(
            buckets: RelativeBuckets(positions: 16, causal: causal), table: table)
        let mask = lab.mask(attention.weightCount)
        let (weights, o) = (lab.empty(1, attention.weightCount), lab.empty(9, d))
        let scratch = lab.empty(1, attention.scratchCount)
        func value() -> Double {
            attention.forward(
                x.columns(0..<d), x.columns(0..<d), x.columns(d..<2 * d), bias: bias, mask: mask,
                into: o, weights: weights, scratch: scratch, multiplier)
            return dot(o, dy)
        }
        _ = value()
        let (dx, dTable) = (lab.empty(9, 2 * d), lab.empty(heads, RelativeBuckets.count))
        dTable.fill(0)
        attention.backward(
            dy, x.columns(0..<d), x.columns(0..<d), x.columns(d..<2 * d), bias: bias, mask: mask,
            weights: weights, scratch: scratch, dQ: dx.columns(0..<d), dK: dx.columns(0..<d),
            dV: dx.columns(d..<2 * d), dBias: dTable, multiplier)
        lab.check("projections", x, dx, value: value)
        lab.check("bias", table, dTable, value: value)
    }
}
