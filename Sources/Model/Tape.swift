import Kernels
import Parameters

/// A result of the forward pass whose gradient the backward pass will need.
struct Variable {
    let data: Matrix
    let index: Int
}

/// The size of one layer's output for one shard.
package struct LayerActivity: Sendable, Hashable {
    /// The sum of the squares of the output's elements.
    package var squares: Double
    /// The number of those elements: tokens · d.
    package var elements: Int

    /// Makes a size of its parts.
    package init(squares: Double, elements: Int) {
        self.squares = squares
        self.elements = elements
    }
}

/// The key under which dropout draws. Every place in the network of every shard of every step has
/// its own numbers, whichever lane computes it.
package struct DropoutKey: Sendable, Hashable {
    /// The run's seed.
    package var seed: UInt64
    /// The step, of which the low 32 bits count.
    package var step: Int
    /// The index of the shard, of which the low 32 bits count.
    package var shard: Int

    /// Makes a key of its parts.
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
    let multiplier: Multiplier
    private var nodes: [Primitive] = []
    private var gradients: [Matrix?] = []
    private var pool: [Matrix] = []
    private var touched: [Bool]
    private var parameters: ParameterVector
    /// The parameters rounded to bfloat16; nil where nobody keeps them.
    private var copies: RoundedVector?
    private var gradient: ParameterVector?
    private let dropout: Dropout
    private let attentionDropout: Dropout
    /// The offset of the running statistics.
    private let trainable: Int
    private var statisticsShare: Float = 0
    private var key = DropoutKey(seed: 0, step: 0, shard: 0)
    private var place: UInt32 = 0

    let profile: Profile?
    /// Receives every attention's probabilities as they are computed.
    var watcher: ((Attention, _ weights: Matrix) -> Void)?
    /// Whether `activity` is to hold the sizes of the layers' outputs.
    var measuresActivity = false
    private(set) var activity: [LayerActivity] = []

    init(_ model: Transformer, profile: Profile? = nil) {
        self.profile = profile
        multiplier = Multiplier(precision: model.precision)
        touched = Array(repeating: false, count: model.parts)
        parameters = ParameterVector(count: 0)
        dropout = Dropout(probability: model.architecture.dropout)
        attentionDropout = Dropout(probability: model.architecture.attentionDropout)
        trainable = model.layout.trainable
        nodes.reserveCapacity(256)
        gradients.reserveCapacity(256)
        pool.reserveCapacity(256)
    }

    /// Forgets everything. Without `gradient` nothing is recorded and nothing dropped.
    ///
    /// `statisticsShare` is the part of the batch that this shard is, by its labels.
    func begin(
        parameters: ParameterVector, copies: RoundedVector? = nil, gradient: ParameterVector? = nil,
        key: DropoutKey = DropoutKey(seed: 0, step: 0, shard: 0), statisticsShare: Float = 0
    ) {
        self.parameters = parameters
        self.copies = copies
        self.gradient = gradient
        self.key = key
        self.statisticsShare = statisticsShare
        activity.removeAll(keepingCapacity: true)
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

    /// Returns which of `count` elements survive at the next place; nil if all do.
    func mask(_ count: Int) -> Mask? { mask(count, dropout) }

    /// The same for attention's weights.
    func attentionMask(_ count: Int) -> Mask? { mask(count, attentionDropout) }

    private func mask(_ count: Int, _ dropout: Dropout) -> Mask? {
        guard isRecording, !dropout.isOff else { return nil }
        let bits = arena.bits(count)
        let random = Philox(
            seed: key.seed, place, UInt32(truncatingIfNeeded: key.step),
            UInt32(truncatingIfNeeded: key.shard))
        place += 1
        measure(.dropoutMask, floats: count / 32) { dropout.fill(bits, random) }
        return Mask(bits: bits, scale: dropout.scale)
    }

    func value(_ weight: Weight) -> Matrix { parameters.matrix(weight, copies: copies) }

    /// Returns the mean and variance by which a batch norm at `place` normalises x.
    /// While training they are the shard's own, and the gradient gets this shard's share
    /// of them; else the running ones.
    func statistics(of x: Matrix, place: Int) -> (mean: Matrix, variance: Matrix) {
        let offset = trainable + place
        guard let gradient else { return parameters.statistics(at: offset, columns: x.columns) }
        let (mean, variance) = (arena.matrix(1, x.columns), arena.matrix(1, x.columns))
        BatchNormalisation.statistics(x, mean: mean, variance: variance)
        let share = gradient.statistics(at: offset, columns: x.columns)
        scale(mean, by: statisticsShare, into: share.mean)
        scale(variance, by: statisticsShare, into: share.variance)
        return (mean, variance)
    }

    /// Notes how large a layer's output is, if anybody wants to know.
    func observe(_ x: Variable) {
        guard measuresActivity else { return }
        activity.append(LayerActivity(squares: squaredSum(x.data), elements: x.data.count))
    }

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

    /// Returns the place of a weight's gradient, and whether something
    /// is there already to be added to.
    func slot(_ weight: Weight) -> (Matrix, accumulate: Bool) {
        guard let gradient else { preconditionFailure("no gradient is being computed") }
        defer { touched[weight.part] = true }
        return (gradient.matrix(weight), touched[weight.part])
    }

    /// Returns a weight's gradient, zero if nothing was there.
    func summedSlot(_ weight: Weight) -> Matrix {
        let (matrix, accumulate) = slot(weight)
        if !accumulate { matrix.fill(0) }
        return matrix
    }

    /// Returns the place of a variable's gradient, and whether something
    /// is there already to be added to.
    func contribution(_ variable: Variable) -> (Matrix, accumulate: Bool) {
        if let present = gradients[variable.index] { return (present, true) }
        let fresh = buffer(variable.data.rows, variable.data.columns)
        gradients[variable.index] = fresh
        return (fresh, false)
    }

    /// Returns the finished gradient of a node's result. The caller
    /// must `release` it or `give` it on.
    func take(_ variable: Variable) -> Matrix {
        guard let present = gradients[variable.index] else {
            preconditionFailure("variable \(variable.index) has no gradient")
        }
        gradients[variable.index] = nil
        return present
    }

    /// Returns the same, nil if nothing depended on the variable.
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

    /// Returns the buffer given back last that has just this shape's size, else new memory.
    func buffer(_ rows: Int, _ columns: Int) -> Matrix {
        if let found = pool.lastIndex(where: { $0.count == rows * columns }) {
            let old = pool.remove(at: found)
            return Matrix(base: old.base, rows: rows, columns: columns)
        }
        return arena.matrix(rows, columns)
    }
}
