import Kernels
import Testing

@Suite("Our products agree with OpenBLAS")
struct MultiplierTests {
    let lab = Laboratory(seed: 3)

    /// Rows, columns, depth: tails of every kind, several blocks of rows and of depth.
    static let shapes = [
        (1, 1, 1), (5, 3, 2), (6, 16, 8), (7, 17, 9), (13, 40, 24), (2, 8, 300), (350, 31, 5),
        (3, 33, 257), (12, 5, 513), (64, 48, 64), (700, 20, 260), (11, 16, 7),
    ]

    @Test("All three forms, with and without what was there", arguments: shapes)
    func agrees(m: Int, n: Int, k: Int) {
        let multiplier = Multiplier()
        let (x, w, dy) = (lab.random(m, k), lab.random(n, k), lab.random(m, n))
        for accumulate in [false, true] {
            let (ours, theirs) = pair(m, n)
            multiplier.timesTransposed(x, w, into: ours, accumulate: accumulate)
            Product.timesTransposed(x, w, into: theirs, accumulate: accumulate)
            #expect(isClose(ours, theirs, 1e-4))
            let (dx, dx2) = pair(m, k)
            multiplier.times(dy, w, into: dx, accumulate: accumulate)
            Product.times(dy, w, into: dx2, accumulate: accumulate)
            #expect(isClose(dx, dx2, 1e-4))
            let (dw, dw2) = pair(n, k)
            multiplier.transposedTimes(dy, x, into: dw, accumulate: accumulate)
            Product.transposedTimes(dy, x, into: dw2, accumulate: accumulate)
            #expect(isClose(dw, dw2, 1e-4))
        }
    }

    private func pair(_ rows: Int, _ columns: Int) -> (Matrix, Matrix) {
        let first = lab.random(rows, columns)
        return (first, lab.copy(first))
    }

    @Test("A bias is added once to every row", arguments: [(7, 17, 9), (6, 32, 300)])
    func bias(m: Int, n: Int, k: Int) {
        let multiplier = Multiplier()
        let (x, w, b) = (lab.random(m, k), lab.random(n, k), lab.random(1, n))
        let (y, expected) = (lab.empty(m, n), lab.empty(m, n))
        multiplier.timesTransposed(x, w, into: y, bias: b)
        broadcast(b, into: expected)
        Product.timesTransposed(x, w, into: expected, accumulate: true)
        #expect(isClose(y, expected, 1e-4))
    }

    @Test("Views into wider matrices are written inside their borders only")
    func views() {
        let multiplier = Multiplier()
        let (whole, x, w) = (lab.random(9, 50), lab.random(9, 12), lab.random(21, 12))
        let before = lab.copy(whole)
        multiplier.timesTransposed(x, w, into: whole.columns(5..<26))
        let expected = lab.copy(before)
        Product.timesTransposed(x, w, into: expected.columns(5..<26))
        #expect(isClose(whole, expected))
        #expect(whole.columns(26..<50).elements() == before.columns(26..<50).elements())
    }

    @Test("An entry's bits do not depend on the other rows")
    func rowsAreIndependent() {
        let multiplier = Multiplier()
        let (x, w) = (lab.random(40, 70), lab.random(33, 70))
        let whole = lab.empty(40, 33)
        multiplier.timesTransposed(x, w, into: whole)
        for count in [1, 3, 8, 39] {
            let part = lab.empty(count, 33)
            multiplier.timesTransposed(x.rows(1..<1 + count), w, into: part)
            #expect(part.elements() == whole.rows(1..<1 + count).elements())
        }
    }
}
