import Coordination
import Kernels
import Model
import Ring
import Text
import Training

/// Everything that decides what a run computes and how it is carried out; validated once, saved in
/// the run folder and sent to the workers. Its defaults are those of the settings.
package struct RunConfiguration: Equatable, Sendable {
    package var text = TextSettings()
    package var preset = Preset.tiny
    /// The model, over a vocabulary that only the tokenizer tells.
    package var architecture = Architecture(
        kind: .encoderDecoder, norm: .pre, activation: .relu, dModel: Preset.tiny.sizes.dModel,
        encoderLayers: Preset.tiny.sizes.layers, decoderLayers: Preset.tiny.sizes.layers,
        dFF: Preset.tiny.sizes.dFF, heads: Preset.tiny.sizes.heads, vocabulary: 0, positions: 256,
        dropout: 0.3)
    package var batches = BatchSettings()
    package var length = LengthSettings()
    package var optimizer = OptimizerSettings()
    package var reporting = ReportingSettings()
    package var cluster = ClusterSettings()

    package static let standard = RunConfiguration()
}

/// What is learned from. Paths are absolute.
package struct TextSettings: Equatable, Sendable {
    /// Pairs of an encoder-decoder; nil with `source` and `target`, or for the embedded ones.
    package var corpus: String?
    package var source: String?
    package var target: String?
    /// The text of a language model; nil is the embedded one.
    package var text: String?
    /// A file of pairs, or a text, that replaces the held-out part.
    package var validation: String?
    /// What becomes of pairs of more tokens than the model has positions.
    package var tooLong = TooLong.skip
    /// A SentencePiece model that is used instead of training one.
    package var tokenizer: String?
    /// Pieces of the tokenizer that is trained; nil where it is given.
    package var vocabulary: Int? = Self.standardVocabulary
    /// A run whose newest checkpoint, or a safetensors file that, gives the first parameters.
    package var from: String?

    package static let standardVocabulary = 4000

    package var pairs: CorpusSource {
        if let source, let target { return .files(source: source, target: target) }
        return corpus.map(CorpusSource.pairs) ?? .embedded
    }
}

package struct BatchSettings: Equatable, Sendable {
    /// Source + target tokens of a step, all workers together.
    package var tokens = 4096
    package var shards = 8
}

/// When a run ends; with all nil it does not.
package struct LengthSettings: Equatable, Sendable {
    /// The total, resumed parts included.
    package var steps: Int? = 2000
    package var epochs: Int?
    package var timeLimit: TimeSpan?

    /// The last step, given how many steps an epoch has: the smaller of what `steps` and `epochs`
    /// allow. Nil if only the time limits the run.
    package func lastStep(batchesPerEpoch: Int) -> Int? {
        [steps, epochs.map { $0 * batchesPerEpoch }].compactMap { $0 }.min()
    }
}

/// What a step makes of its batch.
package struct OptimizerSettings: Equatable, Sendable {
    package enum FirstValues: String, CaseIterable, Sendable { case xavier, normal }

    /// What the operands of products are rounded to.
    package var precision = Precision.f32
    package var initialisation = FirstValues.xavier
    package var initialDeviation = 0.02
    /// The peak: lr · min(t/warmup, √(warmup/t)).
    package var learningRate = 0.002
    package var warmup = 200
    package var labelSmoothing = 0.1
    /// 0 is off.
    package var clipNorm = 1.0
    package var weightDecay = 0.0
    package var seed: UInt64 = 1
    package var onNaN = CoordinatorPolicy.NonFinite.stop

    /// What every step of the run computes, on workers and in `verify` alike.
    package var arithmetic: StepArithmetic {
        StepArithmetic(
            seed: seed,
            initialisation: initialisation == .xavier
                ? .xavier : .normal(deviation: Float(initialDeviation)),
            labelSmoothing: Float(labelSmoothing), clipNorm: Float(clipNorm),
            adam: AdamW(weightDecay: weightDecay),
            schedule: LearningRateSchedule(peak: Float(learningRate), warmup: warmup))
    }
}

/// What is kept and said. Intervals are in steps; 0 is off.
package struct ReportingSettings: Equatable, Sendable {
    package var checkpointEvery = 200
    package var keep = 3
    package var validateEvery = 200
    package var logEvery = 10
    package var logLayersEvery = 0
    /// Of the samples and the BLEU at the end.
    package var beam = 1

    package func logsLayers(step: Int) -> Bool {
        logLayersEvery > 0 && step.isMultiple(of: logLayersEvery)
    }
}

/// Who computes, and how sums travel.
package struct ClusterSettings: Equatable, Sendable {
    package var workers = 1
    /// Lanes of a worker; nil is the cores shared by the local workers.
    package var threads: Int?
    /// nil is a free loopback port under `train`, `Address.standard` under `coordinator`.
    package var bind: Address?
    /// All is plain text, and whoever reaches the coordinator is let in.
    package var insecure = false
    /// Links within a host are encrypted like those between hosts.
    package var secure = false
    package var waitForAll = false
    /// Cut the shards among workers by their measured speed.
    package var balance = true
    package var collective = Collective.fold
    package var transport = Transport.auto
    /// What sums of gradients are rounded to between shards.
    package var wire = WireFormat.f32
    package var peerTimeout = TimeSpan.seconds(10)

    /// Lanes of each of the local workers: `threads`, or the cores divided among them.
    package func threads(cores: Int) -> Int { threads ?? max(1, cores / workers) }
}

extension Architecture {
    /// The model of `configuration` over `vocabulary` pieces.
    package init(_ configuration: RunConfiguration, vocabulary: Int) {
        self = configuration.architecture
        self.vocabulary = vocabulary
    }
}

// MARK: Settings that stand for others

extension RunConfiguration {
    var presetAndSizes: Preset {
        get { preset }
        set {
            preset = newValue
            let sizes = newValue.sizes
            architecture.dModel = sizes.dModel
            architecture.dFF = sizes.dFF
            architecture.heads = sizes.heads
            layers = sizes.layers
        }
    }

    /// Of both stacks; nil where they differ.
    var layers: Int? {
        get {
            architecture.encoderLayers == architecture.decoderLayers
                ? architecture.encoderLayers : nil
        }
        set {
            guard let newValue else { return }
            architecture.encoderLayers = newValue
            architecture.decoderLayers = newValue
        }
    }

    /// nil where it is that of both stacks.
    var differingEncoderLayers: Int? {
        get { layers == nil ? architecture.encoderLayers : nil }
        set { if let newValue { architecture.encoderLayers = newValue } }
    }

    /// nil where it is that of both stacks.
    var differingDecoderLayers: Int? {
        get { layers == nil ? architecture.decoderLayers : nil }
        set { if let newValue { architecture.decoderLayers = newValue } }
    }

    var everyDropout: Float {
        get { architecture.dropout }
        set {
            architecture.dropout = newValue
            architecture.attentionDropout = newValue
        }
    }

    /// nil where it is that of everything else.
    var differingAttentionDropout: Float? {
        get {
            architecture.attentionDropout == architecture.dropout
                ? nil : architecture.attentionDropout
        }
        set { architecture.attentionDropout = newValue ?? architecture.dropout }
    }
}
