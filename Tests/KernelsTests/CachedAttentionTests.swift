import Foundation
import Kernels
import Testing

private func matrix(_ rows: Int, _ columns: Int, _ arena: Arena, seed: Int) -> Matrix {
    let result = arena.matrix(rows, columns)
    for row in 0..<rows {
        for column in 0..<columns {
            result[row, column] = Float(sin(Double(seed + 31 * row + 7 * column * column)))
        }
    }
    return result
}

@Suite struct CachedAttentionTests {
    @Test(arguments: [(1, 5), (3, 8), (2, 11), (4, 16)])
    func `it is softmax attention over the rows that each query picks`(heads: Int, width: Int) {
        let arena = Arena()
        let d = heads * width
        let queries = matrix(4, d, arena, seed: 1)
        let (keys, values) = (matrix(9, d, arena, seed: 2), matrix(9, d, arena, seed: 3))
        let picks: [[Int32]] = [[8, 0, 3], [], [4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 3]]
        let result = arena.matrix(4, d)
        attend(
            queries: queries, keys: keys, values: values, rows: picks.flatMap { $0 },
            offsets: [0, 3, 3, 4, 14], heads: heads, into: result)
        for (query, rows) in picks.enumerated() {
            for column in 0..<d {
                let head = column / width * width..<column / width * width + width
                let weights = rows.map { row in
                    exp(
                        head.reduce(0.0) {
                            $0 + Double(queries[query, $1]) * Double(keys[Int(row), $1])
                        } / Double(width).squareRoot())
                }
                let sum = zip(rows, weights).reduce(0.0) {
                    $0 + $1.1 * Double(values[Int($1.0), column])
                }
                let expected = rows.isEmpty ? 0 : sum / weights.reduce(0, +)
                #expect(abs(Double(result[query, column]) - expected) < 1e-6)
            }
        }
    }

    @Test func `a query's bits do not depend on the others`() {
        let arena = Arena()
        let queries = matrix(3, 24, arena, seed: 5)
        let (keys, values) = (matrix(6, 24, arena, seed: 6), matrix(6, 24, arena, seed: 7))
        let (all, alone) = (arena.matrix(3, 24), arena.matrix(1, 24))
        attend(
            queries: queries, keys: keys, values: values, rows: [0, 1, 2, 3, 4, 5, 1, 3],
            offsets: [0, 6, 6, 8], heads: 3, into: all)
        attend(
            queries: queries.rows(2..<3), keys: keys, values: values, rows: [1, 3],
            offsets: [0, 2], heads: 3, into: alone)
        #expect(all.rows(2..<3).elements() == alone.elements())
    }
}

@Suite struct SourceAttentionTests {
    @Test(arguments: [(1, 5), (3, 8), (2, 40), (4, 16)], [1, 7, 8, 17, 33, 61])
    func `it is softmax attention over all tokens of each query's source`(
        shape: (heads: Int, width: Int), tokens: Int
    ) {
        let arena = Arena()
        let d = shape.heads * shape.width
        let queries = matrix(3, d, arena, seed: 1)
        let layers = (0..<2).map { matrix(tokens, 2 * d, arena, seed: 2 + $0) }
        let source = SourceMemory(layers)
        let other = SourceMemory(layers.map { $0.rows(0..<1) })
        for (layer, both) in layers.enumerated() {
            let result = arena.matrix(3, d)
            attend(
                queries: queries, to: [source, other, source], layer: layer, heads: shape.heads,
                into: result)
            for query in [0, 2] {
                for column in 0..<d {
                    let start = column / shape.width * shape.width
                    let weights = (0..<tokens).map { row in
                        exp(
                            (start..<start + shape.width).reduce(0.0) {
                                $0 + Double(queries[query, $1]) * Double(both[row, $1])
                            } / Double(shape.width).squareRoot())
                    }
                    let sum = weights.enumerated().reduce(0.0) {
                        $0 + $1.element * Double(both[$1.offset, d + column])
                    }
                    let expected = sum / weights.reduce(0, +)
                    #expect(abs(Double(result[query, column]) - expected) < 2e-6)
                }
            }
            for column in 0..<d { #expect(result[1, column] == both[0, d + column]) }
        }
    }
}

@Suite struct RankingTests {
    private let arena = Arena()

    private func logits(_ values: [Float]) -> Matrix {
        let result = arena.matrix(1, values.count)
        for (column, value) in values.enumerated() { result[0, column] = value }
        return result
    }

    @Test func `the likeliest come first and the lower of equals before the higher`() {
        var values = (0..<37).map { Float(sin(Double($0 * $0))) }
        values[30] = 4
        values[5] = 4
        values[19] = 4.5
        values[1] = 9
        let row = logits(values)
        let ranked = row.ranked(row: 0, count: 5, from: 2)
        let sum = values.reduce(0.0) { $0 + exp(Double($1)) }
        let expected = (2..<37).sorted { (values[$1], $0) < (values[$0], $1) }.prefix(5)
        #expect(ranked.map { Int($0.column) } == Array(expected))
        #expect(ranked.map(\.column).prefix(3) == [19, 5, 30])
        for one in ranked {
            let exact = Double(values[Int(one.column)]) - log(sum)
            #expect(abs(Double(one.logProbability) - exact) < 1e-5)
            #expect(row.ranked(row: 0, column: Int(one.column)) == one)
        }
    }

    @Test func `fewer columns than wanted give what there is`() {
        let ranked = logits([1, 2, 3, -.infinity]).ranked(row: 0, count: 10, from: 1)
        #expect(ranked.map(\.column) == [2, 1, 3])
    }

    @Test func `what is not a number is not ranked`() {
        #expect(
            logits([.nan, 1, .nan]).ranked(row: 0, count: 3, from: 0).map(\.column) == [1])
        let nothing = [Float](repeating: .nan, count: 20)
        #expect(logits(nothing).ranked(row: 0, count: 3, from: 0).isEmpty)
    }

    @Test func `large logits do not overflow`() throws {
        let best = try #require(logits([3e4, 2e4, -3e4]).ranked(row: 0, count: 1, from: 0).first)
        #expect(best == Ranked(column: 0, logProbability: 0))
    }
}
