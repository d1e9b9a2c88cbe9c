import Model
import Ring
import Text
import Training

/// Everything that decides what a run computes and how it is carried out; validated once, saved in
/// the run folder and sent to the workers.
package struct RunConfiguration: Equatable, Sendable {
    package enum Collective: String, CaseIterable, Codable, Sendable { case fold, ring }
    package enum Transport: String, CaseIterable, Codable, Sendable {
        case auto, shared, ipc, tcp
    }
    package enum NaNPolicy: String, CaseIterable, Codable, Sendable { case stop, skip }

    /// The pairs of an encoder-decoder. Paths are absolute.
    package var corpus: CorpusSource
    /// The text of a language model; nil is the embedded one.
    package var text: String?
    /// A file of pairs, or a text, that replaces the held-out part.
    package var validation: String?
    /// What becomes of pairs of more tokens than `positions`.
    package var tooLong: TooLong
    /// A SentencePiece model that is used instead of training one.
    package var tokenizer: String?
    package var vocabulary: Int
    /// A run whose newest checkpoint, or a safetensors file that, gives the first parameters.
    package var from: String?

    package var architecture: Architecture.Kind
    package var preset: Preset
    package var dModel: Int
    package var encoderLayers: Int
    package var decoderLayers: Int
    package var dFF: Int
    package var heads: Int
    package var sharesQueryKey: Bool
    package var dropout: Double
    /// nil is `dropout`.
    package var attentionDropout: Double?
    package var activation: Architecture.Activation
    package var norm: Architecture.Norm
    package var normalisation: Architecture.Normalisation
    package var residual: Bool
    package var positionEncoding: Architecture.PositionEncoding
    package var tying: Architecture.Tying
    package var initialisation: Initialisation
    /// The longest sequence, marks included.
    package var positions: Int

    /// Source + target tokens of a step, all workers together.
    package var batchTokens: Int
    package var shards: Int
    /// The total, resumed parts included; nil is no limit, then `epochs` or `timeLimit` is one.
    package var steps: Int?
    package var epochs: Int?
    package var timeLimit: TimeSpan?
    /// The peak: lr · min(t/warmup, √(warmup/t)).
    package var learningRate: Double
    package var warmup: Int
    package var labelSmoothing: Double
    /// 0 is off.
    package var clipNorm: Double
    package var weightDecay: Double
    package var seed: UInt64
    package var onNaN: NaNPolicy

    /// In steps; 0 is off.
    package var checkpointEvery: Int
    package var keep: Int
    package var validateEvery: Int
    package var logEvery: Int
    package var logLayersEvery: Int
    /// Of the samples and the BLEU at the end.
    package var beam: Int

    package var workers: Int
    /// Lanes of a worker; nil is the cores shared by the local workers.
    package var threads: Int?
    /// nil is a free loopback port under `train`, `Address.standard` under `coordinator`.
    package var bind: Address?
    /// All is plain text, and whoever reaches the coordinator is let in.
    package var insecure: Bool
    /// Links within a host are encrypted like those between hosts.
    package var secure: Bool
    package var waitForAll: Bool
    /// Cut the shards among workers by their measured speed.
    package var balance: Bool
    package var collective: Collective
    package var transport: Transport
    /// What sums of gradients are rounded to between shards.
    package var wire: WireFormat
    package var peerTimeout: TimeSpan
}

extension Address {
    /// Where a coordinator listens unless told otherwise.
    package static let standard = Address(host: "127.0.0.1", port: 5555)
}

extension RunConfiguration {
    package var schedule: LearningRateSchedule {
        LearningRateSchedule(peak: Float(learningRate), warmup: warmup)
    }

    package var adam: AdamW { AdamW(weightDecay: weightDecay) }

    /// Lanes of each of the local workers: `threads`, or the cores divided among them.
    package func threads(cores: Int) -> Int { threads ?? max(1, cores / workers) }

    /// The last step, given how many steps an epoch has: the smaller of what `steps` and `epochs`
    /// allow. Nil if only the time limits the run.
    package func lastStep(batchesPerEpoch: Int) -> Int? {
        let limits = [steps, epochs.map { $0 * batchesPerEpoch }].compactMap { $0 }
        return limits.min()
    }
}

extension Architecture {
    /// The model that a configuration describes, over `vocabulary` pieces.
    package init(_ configuration: RunConfiguration, vocabulary: Int) {
        self.init(
            kind: configuration.architecture, norm: configuration.norm,
            normalisation: configuration.normalisation, residual: configuration.residual,
            activation: configuration.activation,
            positionEncoding: configuration.positionEncoding, tying: configuration.tying,
            sharesQueryKey: configuration.sharesQueryKey, dModel: configuration.dModel,
            encoderLayers: configuration.encoderLayers,
            decoderLayers: configuration.decoderLayers, dFF: configuration.dFF,
            heads: configuration.heads, vocabulary: vocabulary,
            positions: configuration.positions, dropout: Float(configuration.dropout),
            attentionDropout: configuration.attentionDropout.map { Float($0) })
    }
}
