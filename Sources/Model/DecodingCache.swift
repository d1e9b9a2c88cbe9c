import Kernels
import Parameters

/// Keys and values of everything fed to a decoder, a row each, for each of its layers.
///
/// Rows are only appended, and hypotheses name those that they descend from. So hypotheses with a
/// common beginning share its rows, and none is copied when one splits. When the cache is full,
/// rows that no hypothesis names are dropped.
struct DecodingCache {
    private let width: Int
    private var layers: [ParameterVector]
    private(set) var count = 0
    private(set) var capacity: Int

    /// Makes a cache for `layers` layers of `width` columns.
    init(layers: Int, width: Int, capacity: Int) {
        self.width = width
        self.capacity = max(capacity, 1)
        let elements = 2 * width * self.capacity
        self.layers = (0..<layers).map { _ in ParameterVector(count: elements) }
    }

    /// Shapes: [capacity, width].
    func keys(_ layer: Int) -> Matrix { both(layer).columns(0..<width) }

    /// Shapes: [capacity, width].
    func values(_ layer: Int) -> Matrix { both(layer).columns(width..<2 * width) }

    private func both(_ layer: Int) -> Matrix {
        Matrix(base: layers[layer].unsafeAddress, rows: capacity, columns: 2 * width)
    }

    /// Appends a row for each hypothesis to its path; returns where they begin.
    mutating func append(to hypotheses: inout [Hypothesis]) -> Int {
        let added = hypotheses.count
        if count + added > capacity {
            compact(&hypotheses)
            // Half of it is free after this, so that compacting stays rare.
            if 2 * (count + added) > capacity { grow(to: 4 * (count + added)) }
        }
        for index in hypotheses.indices { hypotheses[index].path.append(Int32(count + index)) }
        defer { count += added }
        return count
    }

    /// Moves the rows that are named to the front, in order.
    private mutating func compact(_ hypotheses: inout [Hypothesis]) {
        var places = [Int32](repeating: -1, count: count)
        for hypothesis in hypotheses {
            for row in hypothesis.path { places[Int(row)] = 0 }
        }
        var kept = 0
        for row in 0..<count where places[row] == 0 {
            places[row] = Int32(kept)
            if kept < row {
                for layer in layers.indices {
                    let rows = both(layer)
                    rows.rows(kept..<kept + 1).copy(from: rows.rows(row..<row + 1))
                }
            }
            kept += 1
        }
        count = kept
        for index in hypotheses.indices {
            hypotheses[index].path = hypotheses[index].path.map { places[Int($0)] }
        }
    }

    private mutating func grow(to capacity: Int) {
        for layer in layers.indices {
            let larger = ParameterVector(count: 2 * width * capacity)
            layers[layer].withBytes(0..<2 * width * count) { larger.store(bytes: $0, at: 0) }
            layers[layer] = larger
        }
        self.capacity = capacity
    }
}
