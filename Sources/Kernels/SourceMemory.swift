/// Keys and values of one source for the cross-attention of each layer, laid out for single queries.
///
/// A layer has the keys as [d, tokens], tokens filled up to eights with zeros, then the values as
/// [tokens, d]. Read-only once it is made.
package final class SourceMemory: @unchecked Sendable {
    /// The number of the source's tokens.
    let count: Int
    private let width: Int
    /// `count` rounded up to eights.
    let padded: Int
    private let floats: UnsafeMutablePointer<Float>

    /// Copies the keys and values of each layer. Shapes: each [tokens, 2d].
    package init(_ layers: [Matrix]) {
        count = layers.first?.rows ?? 0
        width = (layers.first?.columns ?? 0) / 2
        padded = (count + 7) & ~7
        let size = max(1, layers.count * width * (padded + count))
        floats = UnsafeMutableRawPointer.allocate(
            byteCount: size * MemoryLayout<Float>.stride, alignment: 64
        ).bindMemory(to: Float.self, capacity: size)
        for (layer, both) in layers.enumerated() {
            precondition(both.rows == count && both.columns == 2 * width)
            let (keys, values) = (keys(layer), values(layer))
            for column in 0..<width {
                let to = keys + column * padded
                for token in 0..<count { to[token] = both.row(token)[column] }
                for token in count..<padded { to[token] = 0 }
            }
            for token in 0..<count {
                (values + token * width).update(from: both.row(token) + width, count: width)
            }
        }
    }

    deinit { floats.deallocate() }

    func keys(_ layer: Int) -> UnsafeMutablePointer<Float> {
        floats + layer * width * (padded + count)
    }

    func values(_ layer: Int) -> UnsafeMutablePointer<Float> { keys(layer) + width * padded }
}

/// Cross-attention of single queries, each over all tokens of its source.
///
///     o_i = Σ_j p_ij v_j,   p_ij = softmax over j of q_i·k_j / √d_h
///
/// A query's bits depend on it and its source alone.
/// Shapes: queries, result [n, d]; n sources. Source: Vaswani et al. 2017, section 3.2.
package func attend(
    queries: Matrix, to sources: [SourceMemory], layer: Int, heads: Int, into result: Matrix
) {
    let (rows, d) = (queries.rows, queries.columns)
    precondition(sources.count == rows && d % heads == 0)
    precondition(result.rows == rows && result.columns == d)
    let width = d / heads
    let scale = 1 / Float(width).squareRoot()
    let longest = sources.reduce(8) { max($0, $1.padded) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: longest) { scores in
        guard let scores = scores.baseAddress else { return }
        for row in 0..<rows {
            let source = sources[row]
            let (keys, values) = (source.keys(layer), source.values(layer))
            for head in 0..<heads {
                let place = head * width
                dots(
                    queries.row(row) + place, keys + place * source.padded, depth: width,
                    count: source.padded, scale: scale, into: scores)
                softmax(scores, count: source.count)
                mix(
                    values + place, stride: d, weights: scores, count: source.count, width: width,
                    into: result.row(row) + place)
            }
        }
    }
}

/// s_j = scale · Σ_c q_c k_cj, in the order of c. Shapes: k [depth, count], count in eights.
@inline(__always) private func dots(
    _ query: UnsafePointer<Float>, _ keys: UnsafeMutablePointer<Float>, depth: Int, count: Int,
    scale: Float, into scores: UnsafeMutablePointer<Float>
) {
    let factor = Wide(repeating: scale)
    var token = 0
    while token + 32 <= count {
        var (a, b, c, d) = (Wide.zero, Wide.zero, Wide.zero, Wide.zero)
        var key = keys + token
        for place in 0..<depth {
            let x = Wide(repeating: query[place])
            a = a.addingProduct(x, key.wide(0))
            b = b.addingProduct(x, key.wide(8))
            c = c.addingProduct(x, key.wide(16))
            d = d.addingProduct(x, key.wide(24))
            key += count
        }
        scores.store(a * factor, token)
        scores.store(b * factor, token + 8)
        scores.store(c * factor, token + 16)
        scores.store(d * factor, token + 24)
        token += 32
    }
    if token + 16 <= count {
        var (a, b) = (Wide.zero, Wide.zero)
        var key = keys + token
        for place in 0..<depth {
            let x = Wide(repeating: query[place])
            a = a.addingProduct(x, key.wide(0))
            b = b.addingProduct(x, key.wide(8))
            key += count
        }
        scores.store(a * factor, token)
        scores.store(b * factor, token + 8)
        token += 16
    }
    if token < count {
        var a = Wide.zero
        var key = keys + token
        for place in 0..<depth {
            a = a.addingProduct(Wide(repeating: query[place]), key.wide(0))
            key += count
        }
        scores.store(a * factor, token)
    }
}

/// o_c = Σ_j w_j v_jc, in the order of j.
@inline(__always) private func mix(
    _ values: UnsafeMutablePointer<Float>, stride: Int, weights: UnsafePointer<Float>, count: Int,
    width: Int, into result: UnsafeMutablePointer<Float>
) {
    var column = 0
    while column + 32 <= width {
        var (a, b, c, d) = (Wide.zero, Wide.zero, Wide.zero, Wide.zero)
        var value = values + column
        for token in 0..<count {
            let x = Wide(repeating: weights[token])
            a = a.addingProduct(x, value.wide(0))
            b = b.addingProduct(x, value.wide(8))
            c = c.addingProduct(x, value.wide(16))
            d = d.addingProduct(x, value.wide(24))
            value += stride
        }
        result.store(a, column)
        result.store(b, column + 8)
        result.store(c, column + 16)
        result.store(d, column + 24)
        column += 32
    }
    while column < width {
        let part = min(8, width - column)
        var a = Wide.zero
        for token in 0..<count {
            let value = values + (token * stride + column)
            let eight = part == 8 ? value.wide(0) : value.part(0, part)
            a = a.addingProduct(eight, Wide(repeating: weights[token]))
        }
        if part == 8 { result.store(a, column) } else { result.store(a, column, part: part) }
        column += part
    }
}
