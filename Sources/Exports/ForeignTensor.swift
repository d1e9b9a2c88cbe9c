import Model
import Parameters

/// A tensor of another program, as a rearrangement of one of the model's own.
///
/// Element (i, j) is element (rows[i], columns[j]) of the slot, times `scale`; transposed, it is
/// element (j, i). A slot of one extent is a single row.
struct ForeignTensor: Sendable {
    /// The name that the other program knows the tensor by.
    let name: String
    /// The extents that it expects.
    let shape: [Int]
    /// The values, or where they lie.
    let content: Content

    enum Content: Sendable {
        case part(Part)
        /// Numbers that no training changes.
        case table([Float])
    }

    struct Part: Sendable {
        let slot: Slot
        let rows: [Int]
        let columns: [Int]
        var transposed = false
        var scale: Float = 1

        /// The number of columns of the slot.
        var width: Int { slot.shape[slot.shape.count - 1] }
        var count: Int { rows.count * columns.count }
    }

    /// The number of elements.
    var count: Int { shape.reduce(1, *) }

    /// Returns the elements in the other program's order.
    func values(_ parameters: ParameterVector) -> [Float] {
        guard case .part(let part) = content else {
            if case .table(let values) = content { return values }
            return []
        }
        let own = parameters.floats(part.slot.range)
        var values: [Float] = []
        values.reserveCapacity(part.count)
        if part.transposed {
            for column in part.columns {
                for row in part.rows { values.append(own[row * part.width + column] * part.scale) }
            }
        } else {
            for row in part.rows {
                for column in part.columns {
                    values.append(own[row * part.width + column] * part.scale)
                }
            }
        }
        return values
    }

    /// Puts elements in the other program's order where they belong; tables have no place.
    func store(_ values: [Float], into parameters: ParameterVector) {
        guard case .part(let part) = content else { return }
        precondition(values.count == part.count && !part.transposed && part.scale == 1, name)
        var next = 0
        for row in part.rows {
            let start = part.slot.offset + row * part.width
            for column in part.columns {
                parameters[start + column] = values[next]
                next += 1
            }
        }
    }
}

/// Makes tensors of a model's slots.
struct TensorArranger {
    let model: Transformer

    init(_ model: Transformer) { self.model = model }

    func slot(_ name: String) -> Slot {
        guard let slot = model.layout[name] else {
            preconditionFailure("the model has no \(name)")
        }
        return slot
    }

    /// The part of a matrix; rows or columns that are not given are all of them in order.
    func matrix(
        _ name: String, _ slot: String, rows: [Int]? = nil, columns: [Int]? = nil,
        transposed: Bool = false, scale: Float = 1
    ) -> ForeignTensor {
        let slot = self.slot(slot)
        let rows = rows ?? Array(0..<slot.shape[0])
        let columns = columns ?? Array(0..<slot.shape[1])
        return ForeignTensor(
            name: name,
            shape: transposed ? [columns.count, rows.count] : [rows.count, columns.count],
            content: .part(
                .init(
                    slot: slot, rows: rows, columns: columns, transposed: transposed, scale: scale))
        )
    }

    /// The part of a vector.
    func vector(
        _ name: String, _ slot: String, _ elements: [Int]? = nil, shape: [Int]? = nil
    ) -> ForeignTensor {
        let slot = self.slot(slot)
        let elements = elements ?? Array(0..<slot.count)
        return ForeignTensor(
            name: name, shape: shape ?? [elements.count],
            content: .part(.init(slot: slot, rows: [0], columns: elements)))
    }

    /// The rows of queries, keys and values in an attention's first matrix. With a shared
    /// matrix the keys' rows are the queries'.
    var queryKeyValue: (query: [Int], key: [Int], value: [Int]) {
        let d = model.architecture.dModel
        let shares = model.architecture.sharesQueryKey
        let (keys, values) = shares ? (0, d) : (d, 2 * d)
        return (Array(0..<d), Array(keys..<keys + d), Array(values..<values + d))
    }
}

extension Array where Element == Int {
    /// For columns of the other program, whose even and odd ones are two halves: the own column.
    static func interleaved(_ count: Int) -> [Int] {
        (0..<count).map { $0 < (count + 1) / 2 ? 2 * $0 : 2 * ($0 - (count + 1) / 2) + 1 }
    }
}
