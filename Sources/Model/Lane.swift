import Kernels
import Parameters

/// The sums over a shard's labels, in nats.
package struct ShardLoss: Sendable, Hashable {
    /// Σ of the label-smoothed losses.
    package var smoothed: Double
    /// Σ -log p(label).
    package var negativeLogLikelihood: Double
    /// The number of labels.
    package var labels: Int

    /// Makes sums of their parts.
    package init(smoothed: Double, negativeLogLikelihood: Double, labels: Int) {
        self.smoothed = smoothed
        self.negativeLogLikelihood = negativeLogLikelihood
        self.labels = labels
    }
}

/// Computes shards, one at a time: the arena and the tape of one thread.
///
/// A result depends on the arguments alone: not on the thread, nor on what the lane did before.
package final class Lane {
    private let model: Transformer
    private let tape: Tape

    /// Makes a lane; with a `profile` it counts its time in that.
    package init(_ model: Transformer, profile: Profile? = nil) {
        self.model = model
        tape = Tape(model, profile: profile)
    }

    /// Whether the next passes note how large each layer's output is;
    /// `activity` has those of the last one.
    package var measuresActivity: Bool {
        get { tape.measuresActivity }
        set { tape.measuresActivity = newValue }
    }

    /// The sizes of the layers' outputs, the encoder's first; nothing after an empty shard.
    package var activity: [LayerActivity] { tape.activity }

    /// The number of bytes that the lane holds for activations and gradients of them.
    package var memory: Int { tape.arena.capacity }

    /// Computes the gradient of (Σ smoothed losses) / labelCount;
    /// writes every element of `gradient`.
    ///
    /// `labelCount` counts the labels of the whole batch. `finished(offset)` says that every element
    /// from `offset` on is final: offsets descend, the last is 0. `input` has been validated. With
    /// `copies`, the parameters rounded, a model of bfloat16 is faster; the bits are the same.
    package func gradient(
        of input: ModelInput, parameters: ParameterVector, copies: RoundedVector? = nil,
        into gradient: ParameterVector, labelCount: Int, smoothing: Float, key: DropoutKey,
        finished: (_ downTo: Int) -> Void
    ) -> ShardLoss {
        precondition(parameters.count == model.layout.count)
        precondition(gradient.count == model.layout.count && labelCount > 0)
        guard !input.isEmpty else {
            tape.begin(parameters: parameters)
            gradient.fill(0)
            finished(0)
            return ShardLoss(smoothed: 0, negativeLogLikelihood: 0, labels: 0)
        }
        tape.begin(
            parameters: parameters, copies: copies, gradient: gradient, key: key,
            statisticsShare: Float(input.labels.count) / Float(labelCount))
        let sums = loss(input, smoothing, scale: 1 / Float(labelCount))
        tape.backward(finished: finished)
        finished(0)
        return sums
    }

    /// Computes the loss alone, without dropout. `input` has been validated.
    package func loss(
        of input: ModelInput, parameters: ParameterVector, copies: RoundedVector? = nil,
        smoothing: Float
    ) -> ShardLoss {
        precondition(parameters.count == model.layout.count)
        guard !input.isEmpty else {
            return ShardLoss(smoothed: 0, negativeLogLikelihood: 0, labels: 0)
        }
        tape.begin(parameters: parameters, copies: copies)
        return loss(input, smoothing, scale: 1)
    }

    /// Computes the logits of every place of the decoder's input, without dropout.
    /// Shapes: [tokens][V].
    package func logits(of input: ModelInput, parameters: ParameterVector) -> [[Float]] {
        precondition(parameters.count == model.layout.count)
        guard !input.isEmpty else { return [] }
        tape.begin(parameters: parameters)
        let hidden = ForwardPass(model: model, tape: tape)(input)
        let result = tape.logits(hidden, model.output, bias: model.outputBias)
        return (0..<result.rows).map { result.rows($0..<$0 + 1).elements() }
    }

    private func loss(_ input: ModelInput, _ smoothing: Float, scale: Float) -> ShardLoss {
        let hidden = ForwardPass(model: model, tape: tape)(input)
        let labels = tape.arena.indices(input.labels)
        let sums = tape.projectionLoss(
            hidden, model.output, bias: model.outputBias, labels: labels, smoothing: smoothing,
            scale: scale)
        return ShardLoss(
            smoothed: sums.smoothed, negativeLogLikelihood: sums.negativeLogLikelihood,
            labels: input.labels.count)
    }

    /// Computes the probabilities of every attention, in the order of the forward pass, without
    /// dropout. `input` has been validated and holds one sequence.
    package func attention(of input: ModelInput, parameters: ParameterVector) -> [AttentionMap] {
        precondition(input.decoder.count == 1, "\(input.decoder.count) sequences")
        tape.begin(parameters: parameters)
        var maps: [AttentionMap] = []
        tape.watcher = { attention, weights in
            maps.append(
                AttentionMap(
                    heads: (0..<attention.heads).map { head in
                        let all = attention.probabilities(weights, sequence: 0, head: head)
                        return (0..<all.rows).map { all.rows($0..<$0 + 1).elements() }
                    }))
        }
        defer { tape.watcher = nil }
        _ = ForwardPass(model: model, tape: tape)(input)
        return maps
    }
}

/// The probabilities of one layer's attention.
package struct AttentionMap: Sendable {
    /// The probabilities of each head. Shapes: [heads][queries][keys]; a row sums to 1.
    package let heads: [[[Float]]]
}
