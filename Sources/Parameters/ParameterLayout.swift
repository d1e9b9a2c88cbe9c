/// One named tensor inside a flat vector of parameters.
package struct Slot: Sendable, Hashable {
    /// PyTorch's own name, such as `encoder.layers.0.self_attn.in_proj_weight`.
    package let name: String
    /// The extents of the tensor, all positive: [count] or [rows, columns].
    package let shape: [Int]
    /// The index of the first element.
    package let offset: Int
    /// The number of elements: the product of `shape`.
    package let count: Int

    /// Makes a slot of its parts; no extent may be 0.
    package init(name: String, shape: [Int], offset: Int) {
        precondition(offset >= 0 && shape.allSatisfy { $0 > 0 }, "\(name) \(shape) at \(offset)")
        self.name = name
        self.shape = shape
        self.offset = offset
        self.count = shape.reduce(1, *)
    }

    /// The range of the elements in the flat vector.
    package var range: Range<Int> { offset..<offset + count }
}

/// The order of all tensors in a flat vector: end to end, without gaps.
///
/// Behind the trainable tensors lie statistics, which no optimizer touches: in a gradient their places
/// hold a shard's share of the statistics, in the total those of the whole batch.
package struct ParameterLayout: Sendable, Equatable {
    /// The tensors in the order of the vector, statistics last.
    package let slots: [Slot]
    /// The number of elements of all slots together.
    package let count: Int
    /// The number of elements before the statistics.
    package let trainable: Int
    private let places: [String: Int]

    /// Lays the tensors end to end in the order given; names are unique.
    package init(
        _ tensors: [(name: String, shape: [Int])],
        statistics: [(name: String, shape: [Int])] = []
    ) {
        var slots: [Slot] = []
        var places: [String: Int] = [:]
        var offset = 0
        var trainable = 0
        for (index, (name, shape)) in (tensors + statistics).enumerated() {
            if index == tensors.count { trainable = offset }
            let slot = Slot(name: name, shape: shape, offset: offset)
            precondition(places.updateValue(slots.count, forKey: name) == nil, "two slots \(name)")
            slots.append(slot)
            offset += slot.count
        }
        self.slots = slots
        self.count = offset
        self.trainable = statistics.isEmpty ? offset : trainable
        self.places = places
    }

    /// Returns the slot of a name; nil if the layout has none.
    package subscript(name: String) -> Slot? {
        places[name].map { slots[$0] }
    }
}
