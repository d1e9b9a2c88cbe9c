import Coordination
import Parameters
import Ring
import Wire

/// θ, m and v of a few floats, as a worker holds them and a checkpoint keeps them.
struct ToyState: Hashable, Sendable {
    var step = 0
    var sections: [[Float]]

    /// Digest of the floats' bits.
    var digest: FastDigest { ToyModel.digest(sections.flatMap { $0 }) }
}

/// Arithmetic whose result shows every sample that was lost, counted twice or added out of turn.
struct ToyModel: Sendable {
    static let count = 8
    static let sliceElements = 2
    static let pieceElements = 3

    let seed: UInt64

    func initial() -> ToyState {
        let parameters = (0..<Self.count).map { unit(step: 0, shard: 0, index: $0) }
        let zero = [Float](repeating: 0, count: Self.count)
        return ToyState(sections: [parameters, zero, zero])
    }

    func gradient(of shard: Int, step: Int, _ state: ToyState) -> [Float] {
        (0..<Self.count).map { index in
            // Magnitudes apart, so that the order of a sum shows in its last bits.
            let scale = Float(1 << ((shard * 5 + index) % 12))
            return unit(step: step, shard: shard, index: index) * scale
                + 0.1 * state.sections[0][index]
        }
    }

    /// The gradients of all shards, added one by one, and rounded after each.
    static func add(_ gradients: [[Float]], _ rounding: StochasticRounding) -> [Float] {
        var sum = gradients[0]
        for (shard, gradient) in gradients.enumerated() {
            if shard > 0 {
                for index in 0..<count { sum[index] += gradient[index] }
            }
            sum.withUnsafeMutableBytes {
                rounding.round($0.baseAddress!, count, first: 0, node: shard)
            }
        }
        return sum
    }

    static func update(_ state: ToyState, _ total: [Float]) -> ToyState {
        var state = state
        state.step += 1
        update(&state.sections, total[...], at: 0)
        return state
    }

    /// Updates the elements from `offset` on.
    static func update(
        _ sections: inout [[Float]], _ total: ArraySlice<Float>, at offset: Int
    ) {
        var state = ToyState(sections: sections)
        for (index, gradient) in zip(offset..., total) {
            state.sections[1][index] = 0.9 * state.sections[1][index] + 0.1 * gradient
            state.sections[2][index] = 0.99 * state.sections[2][index] + 0.01 * gradient * gradient
            state.sections[0][index] -=
                0.01 * state.sections[1][index] / (state.sections[2][index].squareRoot() + 1e-3)
        }
        sections = state.sections
    }

    /// Digest of a total, as `FoldStep` makes it.
    static func digest(ofTotal values: [Float]) -> FastDigest {
        values.withUnsafeBytes { FastDigest($0, blockBytes: StepNumbers.blockBytes) }
    }

    static func digest(_ values: [Float]) -> FastDigest {
        var high: UInt64 = 1
        var low: UInt64 = 2
        for value in values {
            high = RandomStream.mixed(high &+ UInt64(value.bitPattern))
            low = RandomStream.mixed(low ^ high)
        }
        return FastDigest(high: high, low: low)
    }

    static func bytes(of values: some Sequence<Float>) -> [UInt8] {
        values.flatMap { value in
            withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        }
    }

    static func floats(in bytes: [UInt8]) -> [Float] {
        (0..<bytes.count / 4).map { index in
            let bits = (0..<4).reduce(UInt32(0)) {
                $0 | UInt32(bytes[4 * index + $1]) << UInt32(8 * $1)
            }
            return Float(bitPattern: bits)
        }
    }

    private func unit(step: Int, shard: Int, index: Int) -> Float {
        var bits = RandomStream.mixed(seed &+ UInt64(step) &* 0x1_0001)
        bits = RandomStream.mixed(bits &+ UInt64(shard * Self.count + index) &+ 1)
        return Float(bits >> 40) / Float(1 << 24) - 0.5
    }
}

/// The digests that every step of the undisturbed run gives.
struct Undisturbed: Sendable {
    /// Digests of the folded gradient by step, from 1; entry 0 is unused.
    private(set) var totals = [FastDigest(high: 0, low: 0)]
    /// Digests of the state after every step, from 0.
    private(set) var states: [FastDigest]

    init(_ model: ToyModel, steps: Int, shards: Int, wire: WireFormat) {
        var state = model.initial()
        states = [state.digest]
        for step in 1...steps {
            let total = ToyModel.add(
                (0..<shards).map { model.gradient(of: $0, step: step, state) },
                StochasticRounding(wire, seed: model.seed, step: UInt64(step)))
            state = ToyModel.update(state, total)
            totals.append(ToyModel.digest(ofTotal: total))
            states.append(state.digest)
        }
    }
}

/// Cuts a state into slices, in order.
struct ToyStream: Sendable {
    let state: ToyState
    private var next = 0

    init(_ state: ToyState) { self.state = state }

    mutating func take() -> StateSlice? {
        guard next < ToyModel.count * StateSection.allCases.count else { return nil }
        let section = next / ToyModel.count
        let offset = next % ToyModel.count
        next += ToyModel.sliceElements
        let values = state.sections[section][offset..<offset + ToyModel.sliceElements]
        return StateSlice(
            step: state.step, adamCount: state.step,
            section: StateSection(rawValue: UInt8(section))!, offset: offset,
            bytes: ToyModel.bytes(of: values))
    }
}

/// Puts slices back together, in the order in which they were cut.
struct ToyAssembly: Sendable {
    private(set) var state = ToyState(
        sections: Array(repeating: Array(repeating: 0, count: ToyModel.count), count: 3))
    private var next = 0

    /// The position behind the slice; nil if it does not continue what came before.
    mutating func store(_ slice: StateSlice) -> Int? {
        let start = slice.start(count: ToyModel.count)
        if start == 0 {
            next = 0
            state.step = slice.step
        }
        guard start == next, slice.step == state.step else { return nil }
        for (index, value) in ToyModel.floats(in: slice.bytes).enumerated() {
            state.sections[Int(slice.section.rawValue)][slice.offset + index] = value
        }
        next += slice.elements
        return next
    }

    var isComplete: Bool { next == ToyModel.count * StateSection.allCases.count }
}
