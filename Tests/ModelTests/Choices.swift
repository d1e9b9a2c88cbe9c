import Checkpoint
import Model
import Parameters
import Testing
import Training

/// A tiny model of some choices with a batch of two shards, which it can be trained on.
struct Choice: CustomTestStringConvertible, Sendable {
    let architecture: Architecture

    init(
        _ kind: Architecture.Kind = .encoderDecoder, norm: Architecture.Norm = .pre,
        finalNorm: Bool = true,
        normalisation: Architecture.Normalisation = .layer, residual: Bool = true,
        activation: Architecture.Activation = .gelu,
        positions: Architecture.PositionEncoding = .sinusoidal, tying: Architecture.Tying = .all,
        outputBias: Bool = false, sharesQueryKey: Bool = false, encoderLayers: Int = 1,
        decoderLayers: Int = 1,
        dropout: Float = 0.1, attentionDropout: Float? = nil
    ) {
        architecture = Architecture(
            kind: kind, norm: norm, finalNorm: finalNorm, normalisation: normalisation,
            residual: residual,
            activation: activation, positionEncoding: positions, tying: tying,
            outputBias: outputBias, sharesQueryKey: sharesQueryKey, dModel: 8,
            encoderLayers: encoderLayers,
            decoderLayers: decoderLayers, dFF: 12, heads: 2, vocabulary: 17, positions: 12,
            dropout: dropout, attentionDropout: attentionDropout)
    }

    var testDescription: String {
        let a = architecture
        let words = [
            a.kind.rawValue, a.norm.rawValue, a.normalisation.rawValue, a.activation.rawValue,
            a.positionEncoding.rawValue, "tying \(a.tying.rawValue)",
            a.finalNorm ? "" : "no final norm", a.outputBias ? "output bias" : "",
            a.sharesQueryKey ? "q = k" : "", a.residual ? "" : "no residual",
        ]
        return words.filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// Every combination of architecture, norm and its kind, activation, positions and tying that is allowed.
    static let all: [Choice] =
        Architecture.Kind.allCases.flatMap { kind in
            Architecture.Norm.allCases.flatMap { norm in
                Architecture.Normalisation.allCases.flatMap { normalisation in
                    Architecture.Activation.allCases.flatMap { activation in
                        Architecture.PositionEncoding.allCases.flatMap { positions in
                            Architecture.Tying.allCases.map { tying in
                                Choice(
                                    kind, norm: norm, normalisation: normalisation,
                                    activation: activation, positions: positions, tying: tying)
                            }
                        }
                    }
                }
            }
        }.filter { $0.architecture.conflict == nil } + added

    /// Choices that came later, beside some that they meet.
    static let added: [Choice] = Architecture.Kind.allCases.flatMap { kind in
        Architecture.Normalisation.allCases.flatMap { normalisation in
            [Architecture.Tying.all, .none].map { tying in
                Choice(
                    kind, norm: .post, finalNorm: false, normalisation: normalisation,
                    activation: .silu, tying: tying, outputBias: true)
            }
        }
    }

    /// Each choice once beside the defaults.
    static let single: [Choice] = [
        Choice(), Choice(.languageModel), Choice(norm: .none), Choice(norm: .post),
        Choice(normalisation: .rms), Choice(norm: .post, normalisation: .rms),
        Choice(normalisation: .batch), Choice(norm: .post, normalisation: .batch),
        Choice(residual: false), Choice(norm: .post, residual: false),
        Choice(norm: .none, residual: false), Choice(activation: .silu),
        Choice(activation: .sigmoid), Choice(activation: .tanh), Choice(activation: .swiglu),
        Choice(positions: .learned), Choice(positions: .relative), Choice(positions: .rotary),
        Choice(positions: .none), Choice(tying: .decoder), Choice(tying: .none),
        Choice(norm: .post, finalNorm: false),
        Choice(.languageModel, norm: .post, finalNorm: false),
        Choice(norm: .post, finalNorm: false, normalisation: .batch), Choice(outputBias: true),
        Choice(tying: .none, outputBias: true), Choice(.languageModel, outputBias: true),
        Choice(sharesQueryKey: true), Choice(positions: .rotary, sharesQueryKey: true),
        Choice(.languageModel, positions: .rotary, sharesQueryKey: true),
        Choice(.languageModel, normalisation: .rms, activation: .swiglu, positions: .rotary),
        Choice(encoderLayers: 3, decoderLayers: 1), Choice(encoderLayers: 1, decoderLayers: 2),
        Choice(attentionDropout: 0), Choice(dropout: 0, attentionDropout: 0.5),
    ]
}

/// A choice's model in training: θ, m, v, and a batch that never changes.
final class ChoiceTraining {
    let model: Transformer
    let state: TrainingState
    let shards: [ModelInput]
    let labels: Int
    private let lane: Lane
    private let gradient: ParameterVector
    let total: ParameterVector

    init(_ choice: Choice, _ initialisation: Initialisation = .xavier) throws {
        model = try Transformer(choice.architecture)
        let count = model.layout.count
        state = TrainingState(
            parameters: ParameterVector(count: count), trainable: model.layout.trainable)
        model.initialise(state.parameters, seed: 7, initialisation)
        let kind = choice.architecture.kind
        shards = [Self.input([4, 1], kind), Self.input([6], kind)]
        labels = shards.reduce(0) { $0 + $1.labels.count }
        lane = Lane(model)
        (gradient, total) = (ParameterVector(count: count), ParameterVector(count: count))
    }

    private static func input(_ lengths: [Int], _ kind: Architecture.Kind) -> ModelInput {
        let targets = lengths.map { length in (0..<length).map { Int32(4 + (5 * $0 + length) % 13) }
        }
        let sources = targets.map { $0.reversed() + [3, 2] }
        return ModelInput(
            source: Sequences(kind == .encoderDecoder ? sources : []),
            decoder: Sequences(targets.map { [1] + $0 }), labels: targets.flatMap { $0 + [2] })
    }

    /// The total of the batch's gradients; returns its mean loss.
    @discardableResult
    func computeTotal(step: Int) -> Double {
        var loss = 0.0
        total.fill(0)
        for (index, shard) in shards.enumerated() {
            loss +=
                lane.gradient(
                    of: shard, parameters: state.parameters, into: gradient, labelCount: labels,
                    smoothing: 0.1, key: DropoutKey(seed: 3, step: step, shard: index),
                    finished: { _ in }
                ).smoothed
            gradient.withFloats { part in
                total.withMutableFloats { sum in for i in sum.indices { sum[i] += part[i] } }
            }
        }
        return loss / Double(labels)
    }

    /// Trains up to `last`; returns the mean losses.
    @discardableResult
    func train(to last: Int, rate: Float = 0.01) -> [Double] {
        (state.step..<last).map { step in
            let loss = computeTotal(step: step + 1)
            let norm = squaredNorm(of: total, trainable: model.layout.trainable).squareRoot()
            state.update(
                total: total, adam: AdamW(), scale: clipScale(norm: norm, limit: 1), rate: rate)
            return loss
        }
    }
}
