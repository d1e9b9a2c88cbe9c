import Kernels
import Parameters

/// Sums over a shard's labels.
package struct ShardLoss: Sendable, Hashable {
    /// Σ of the label-smoothed losses.
    package var smoothed: Double
    /// Σ -log p(label).
    package var negativeLogLikelihood: Double
    package var labels: Int

    package init(smoothed: Double, negativeLogLikelihood: Double, labels: Int) {
        self.smoothed = smoothed
        self.negativeLogLikelihood = negativeLogLikelihood
        self.labels = labels
    }
}

/// Computes shards, one at a time: the arena and the tape of one thread.
///
/// What it computes depends on its arguments alone: not on the thread, nor on what it did before.
package final class Lane {
    private let model: Transformer
    private let tape: Tape

    /// With a `profile` the lane counts its time in it.
    package init(_ model: Transformer, profile: Profile? = nil) {
        self.model = model
        tape = Tape(parts: model.parts, dropout: model.architecture.dropout, profile: profile)
    }

    /// Bytes that the lane holds for activations and gradients of them.
    package var memory: Int { tape.arena.capacity }

    /// The gradient of (Σ smoothed losses) / labelCount; writes every element of `gradient`.
    ///
    /// `labelCount` counts the labels of the whole batch. `finished(offset)` says that every element
    /// from `offset` on is final: offsets descend, the last is 0. `input` has been validated.
    package func gradient(
        of input: ModelInput, parameters: ParameterVector, into gradient: ParameterVector,
        labelCount: Int, smoothing: Float, key: DropoutKey, finished: (_ downTo: Int) -> Void
    ) -> ShardLoss {
        precondition(parameters.count == model.layout.count)
        precondition(gradient.count == model.layout.count && labelCount > 0)
        guard !input.isEmpty else {
            gradient.fill(0)
            finished(0)
            return ShardLoss(smoothed: 0, negativeLogLikelihood: 0, labels: 0)
        }
        tape.begin(parameters: parameters, gradient: gradient, key: key)
        let sums = loss(input, smoothing, scale: 1 / Float(labelCount))
        tape.backward(finished: finished)
        finished(0)
        return sums
    }

    /// The loss alone, without dropout. `input` has been validated.
    package func loss(
        of input: ModelInput, parameters: ParameterVector, smoothing: Float
    ) -> ShardLoss {
        precondition(parameters.count == model.layout.count)
        guard !input.isEmpty else {
            return ShardLoss(smoothed: 0, negativeLogLikelihood: 0, labels: 0)
        }
        begin(parameters)
        return loss(input, smoothing, scale: 1)
    }

    /// The logits of every place of the decoder's input, without dropout. Shapes: [tokens][V].
    package func logits(of input: ModelInput, parameters: ParameterVector) -> [[Float]] {
        precondition(parameters.count == model.layout.count)
        guard !input.isEmpty else { return [] }
        begin(parameters)
        let result = tape.logits(ForwardPass(model: model, tape: tape)(input), model.embedding)
        return (0..<result.rows).map { result.rows($0..<$0 + 1).elements() }
    }

    private func begin(_ parameters: ParameterVector) {
        tape.begin(
            parameters: parameters, gradient: nil, key: DropoutKey(seed: 0, step: 0, shard: 0))
    }

    private func loss(_ input: ModelInput, _ smoothing: Float, scale: Float) -> ShardLoss {
        let hidden = ForwardPass(model: model, tape: tape)(input)
        let labels = tape.arena.indices(input.labels)
        let sums = tape.projectionLoss(
            hidden, model.embedding, labels: labels, smoothing: smoothing, scale: scale)
        return ShardLoss(
            smoothed: sums.smoothed, negativeLogLikelihood: sums.negativeLogLikelihood,
            labels: input.labels.count)
    }
}
