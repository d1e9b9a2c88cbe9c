import Kernels
import Parameters

/// A result of the forward pass whose gradient the backward pass will need.
struct Variable {
    let data: Matrix
    let index: Int
}

/// The names under which dropout draws: every place in the network of every shard of every step
/// its own numbers, whoever computes it.
package struct DropoutKey: Sendable, Hashable {
    package var seed: UInt64
    package var step: Int
    package var shard: Int

    package init(seed: UInt64, step: Int, shard: Int) {
        self.seed = seed
        self.step = step
        self.shard = shard
    }
}

/// Remembers what the forward pass did, so that the backward pass can undo it in reverse.
///
/// Eager: a primitive computes its result as it is recorded. Activations, masks and gradients lie in
/// an arena; gradients go back to a pool as soon as they have been passed on.
final class Tape {
    let arena = Arena()
    let multiplier = Multiplier()
    private var nodes: [Primitive] = []
    private var gradients: [Matrix?] = []
    private var pool: [Matrix] = []
    private var touched: [Bool]
    private(set) var parameters: ParameterVector
    private var gradient: ParameterVector?
    private let dropout: Dropout
    private var key = DropoutKey(seed: 0, step: 0, shard: 0)
    private var place: UInt32 = 0

    let profile: Profile?

    init(parts: Int, dropout: Float, profile: Profile? = nil) {
        self.profile = profile
        touched = Array(repeating: false, count: parts)
        parameters = ParameterVector(count: 0)
        self.dropout = Dropout(probability: dropout)
        nodes.reserveCapacity(256)
        gradients.reserveCapacity(256)
        pool.reserveCapacity(256)
    }

    /// Forgets everything. Without `gradient` nothing is recorded and nothing dropped.
    func begin(parameters: ParameterVector, gradient: ParameterVector?, key: DropoutKey) {
        self.parameters = parameters
        self.gradient = gradient
        self.key = key
        place = 0
        nodes.removeAll(keepingCapacity: true)
        gradients.removeAll(keepingCapacity: true)
        pool.removeAll(keepingCapacity: true)
        for part in touched.indices { touched[part] = false }
        arena.reset()
    }

    var isRecording: Bool { gradient != nil }

    // MARK: Forward

    func variable(_ rows: Int, _ columns: Int) -> Variable {
        gradients.append(nil)
        return Variable(data: arena.matrix(rows, columns), index: gradients.count - 1)
    }

    func record(_ primitive: Primitive) {
        if isRecording { nodes.append(primitive) }
    }

    /// Which of `count` elements survive at the next place; nil if all do.
    func mask(_ count: Int) -> Mask? {
        guard isRecording, !dropout.isOff else { return nil }
        let bits = arena.bits(count)
        let random = Philox(
            seed: key.seed, place, UInt32(truncatingIfNeeded: key.step),
            UInt32(truncatingIfNeeded: key.shard))
        place += 1
        measure(.dropoutMask, floats: count / 32) { dropout.fill(bits, random) }
        return Mask(bits: bits, scale: dropout.scale)
    }

    func value(_ weight: Weight) -> Matrix { parameters.matrix(weight) }

    // MARK: Backward

    /// Passes gradients from the last node to the first.
    ///
    /// `finished(offset)` is called when every element of the gradient from `offset` on is final.
    func backward(finished: (_ downTo: Int) -> Void) {
        for node in nodes.reversed() {
            if case .milestone(let offset) = node {
                finished(offset)
            } else {
                node.backward(self)
            }
        }
    }

    /// Where a weight's gradient goes, and whether something is there already to be added to.
    func slot(_ weight: Weight) -> (Matrix, accumulate: Bool) {
        guard let gradient else { preconditionFailure("no gradient is being computed") }
        defer { touched[weight.part] = true }
        return (gradient.matrix(weight), touched[weight.part])
    }

    /// A weight's gradient, zero if nothing was there.
    func summedSlot(_ weight: Weight) -> Matrix {
        let (matrix, accumulate) = slot(weight)
        if !accumulate { matrix.fill(0) }
        return matrix
    }

    /// Where a variable's gradient goes, and whether something is there already to be added to.
    func contribution(_ variable: Variable) -> (Matrix, accumulate: Bool) {
        if let present = gradients[variable.index] { return (present, true) }
        let fresh = buffer(variable.data.rows, variable.data.columns)
        gradients[variable.index] = fresh
        return (fresh, false)
    }

    /// The finished gradient of a node's result. Somebody must `release` it or `give` it on.
    func take(_ variable: Variable) -> Matrix {
        guard let present = gradients[variable.index] else {
            preconditionFailure("variable \(variable.index) has no gradient")
        }
        gradients[variable.index] = nil
        return present
    }

    /// The same, if anything depended on the variable.
    func takeIfPresent(_ variable: Variable) -> Matrix? {
        gradients[variable.index].map { _ in take(variable) }
    }

    /// Adds `matrix`, which belongs to the caller, to a variable's gradient.
    func give(_ matrix: Matrix, to variable: Variable) {
        if let present = gradients[variable.index] {
            add(matrix, into: present, accumulate: true)
            release(matrix)
        } else {
            gradients[variable.index] = matrix
        }
    }

    func release(_ matrix: Matrix) { pool.append(matrix) }

    /// The buffer given back last that has just this shape's size, else new memory.
    func buffer(_ rows: Int, _ columns: Int) -> Matrix {
        if let found = pool.lastIndex(where: { $0.count == rows * columns }) {
            let old = pool.remove(at: found)
            return Matrix(base: old.base, rows: rows, columns: columns)
        }
        return arena.matrix(rows, columns)
    }
}
