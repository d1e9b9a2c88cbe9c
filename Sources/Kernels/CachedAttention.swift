/// Attention of single queries over rows picked from a cache of keys and values.
///
/// For query i, with J(i) = `rows[offsets[i]..<offsets[i + 1]]` and each head's d_h columns:
///
///     o_i = Σ_j p_ij v_j,   p_ij = softmax over j ∈ J(i) of q_i·k_j / √d_h
///
/// With a `bias` the picked rows are a query's positions from 0 on, and it stands at the last.
/// The bias is added to the logits.
///
/// Queries may pick the same rows, as hypotheses with a common beginning do. A query's bits
/// depend on it and its rows alone. No rows give zeros.
/// Shapes: queries, result [n, d]; keys, values [rows of the cache, d]; n + 1 offsets.
/// Source: Vaswani et al. 2017, section 3.2.
package func attend(
    queries: Matrix, keys: Matrix, values: Matrix, rows: [Int32], offsets: [Int], heads: Int,
    bias: RelativeBias? = nil, into result: Matrix
) {
    let width = queries.columns
    precondition(offsets.count == queries.rows + 1 && offsets.last == rows.count)
    precondition(keys.columns == width && values.columns == width && width % heads == 0)
    precondition(result.rows == queries.rows && result.columns == width)
    precondition(rows.allSatisfy { $0 >= 0 && $0 < keys.rows && $0 < values.rows })
    let longest = zip(offsets, offsets.dropFirst()).reduce(0) { max($0, $1.1 - $1.0) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(heads * longest, 1)) { scores in
        guard let scores = scores.baseAddress else { return }
        for query in 0..<queries.rows {
            let picked = offsets[query]..<offsets[query + 1]
            score(queries.row(query), keys, rows, picked, heads: heads, into: scores)
            for head in 0..<heads {
                bias?.add(
                    to: scores + head * picked.count, keys: picked.count,
                    query: picked.count - 1, head: head, factor: 1)
                softmax(scores + head * picked.count, count: picked.count)
            }
            mix(values, rows, picked, heads: heads, weights: scores, into: result.row(query))
        }
    }
}

/// s_hj = q_h · k_jh / √d_h, head after head.
private func score(
    _ query: UnsafeMutablePointer<Float>, _ keys: Matrix, _ rows: [Int32], _ picked: Range<Int>,
    heads: Int, into scores: UnsafeMutablePointer<Float>
) {
    let width = keys.columns / heads
    let scale = 1 / Float(width).squareRoot()
    for index in 0..<picked.count {
        let key = keys.row(Int(rows[picked.lowerBound + index]))
        for head in 0..<heads {
            let (q, k) = (query + head * width, key + head * width)
            var sum = Wide.zero
            sweep(width) {
                sum = sum.addingProduct(q.wide($0), k.wide($0))
            } part: {
                sum += q.part($0, $1) * k.part($0, $1)
            }
            scores[head * picked.count + index] = sum.total * scale
        }
    }
}

/// Softmax in place.
func softmax(_ values: UnsafeMutablePointer<Float>, count: Int) {
    guard count > 0 else { return }
    var highest = values[0]
    for index in 1..<max(count, 1) { highest = max(highest, values[index]) }
    var sum = Wide.zero
    sweep(count) {
        let power = exponential(values.wide($0) - highest)
        values.store(power, $0)
        sum += power
    } part: {
        let power = exponential(values.part($0, $1, rest: -.infinity) - highest)
        values.store(power, $0, part: $1)
        for lane in 0..<$1 { sum[lane] += power[lane] }
    }
    let factor = 1 / sum.total
    for index in 0..<count { values[index] *= factor }
}

/// o_h = Σ_j p_hj v_jh, in the order of j.
private func mix(
    _ values: Matrix, _ rows: [Int32], _ picked: Range<Int>, heads: Int,
    weights: UnsafeMutablePointer<Float>, into result: UnsafeMutablePointer<Float>
) {
    let width = values.columns / heads
    rows.withUnsafeBufferPointer { rows in
        for head in 0..<heads {
            let weights = weights + head * picked.count
            sweep(width) { column in
                var sum = Wide.zero
                for index in 0..<picked.count {
                    let value = values.row(Int(rows[picked.lowerBound + index])) + head * width
                    sum = sum.addingProduct(value.wide(column), Wide(repeating: weights[index]))
                }
                result.store(sum, head * width + column)
            } part: { column, count in
                var sum = Wide.zero
                for index in 0..<picked.count {
                    let value = values.row(Int(rows[picked.lowerBound + index])) + head * width
                    sum = sum.addingProduct(
                        value.part(column, count), Wide(repeating: weights[index]))
                }
                result.store(sum, head * width + column, part: count)
            }
        }
    }
}
