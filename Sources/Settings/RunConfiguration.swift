import Coordination
import Kernels
import Model
import Ring
import Text
import Training

/// Everything that decides what a run computes and how it is carried out; validated once, saved in
/// the run folder and sent to the workers. Its defaults are those of the settings.
package struct RunConfiguration: Equatable, Sendable {
    /// The text that the run learns from.
    package var text = TextSettings()
    /// The preset that gives the sizes of the model, unless they are given themselves.
    package var preset = Preset.tiny
    /// The model, over a vocabulary that only the tokenizer tells.
    package var architecture = Architecture(
        kind: .encoderDecoder, norm: .pre, activation: .relu, dModel: Preset.tiny.sizes.dModel,
        encoderLayers: Preset.tiny.sizes.layers, decoderLayers: Preset.tiny.sizes.layers,
        dFF: Preset.tiny.sizes.dFF, heads: Preset.tiny.sizes.heads, vocabulary: 0, positions: 256,
        dropout: 0.3)
    /// The size of a step's batch.
    package var batches = BatchSettings()
    /// The end of the run.
    package var length = LengthSettings()
    /// The arithmetic of a step.
    package var optimizer = OptimizerSettings()
    /// The intervals of checkpoints, validation and reports.
    package var reporting = ReportingSettings()
    /// The workers, and the way that sums travel.
    package var cluster = ClusterSettings()

    /// The configuration that has every setting at its default.
    package static let standard = RunConfiguration()
}

/// The text that a run learns from. Paths are absolute.
package struct TextSettings: Equatable, Sendable {
    /// Pairs of an encoder-decoder; nil with `source` and `target`, or for the embedded ones.
    package var corpus: String?
    /// The file of sources, line by line; nil unless `target` is given, too.
    package var source: String?
    /// The file of translations, line n beside line n of `source`; nil unless that is given.
    package var target: String?
    /// The text of a language model; nil is the embedded one.
    package var text: String?
    /// A file of pairs, or a text, that replaces the held-out part.
    package var validation: String?
    /// The treatment of pairs with more tokens than the model has positions.
    package var tooLong = TooLong.skip
    /// A SentencePiece model that is used instead of training one.
    package var tokenizer: String?
    /// Pieces of the tokenizer that is trained; nil where it is given.
    package var vocabulary: Int? = Self.standardVocabulary
    /// A run whose newest checkpoint, or a safetensors file that, gives the first parameters.
    package var from: String?

    /// The number of pieces, marks included, unless told otherwise.
    package static let standardVocabulary = 4000

    /// The place of the pairs: two files, one file, or the program itself.
    package var pairs: CorpusSource {
        if let source, let target { return .files(source: source, target: target) }
        return corpus.map(CorpusSource.pairs) ?? .embedded
    }
}

/// The size of a step's batch.
package struct BatchSettings: Equatable, Sendable {
    /// Source + target tokens of a step, all workers together.
    package var tokens = 4096
    /// The number of shards of a batch; no run has more workers than that.
    package var shards = 8
}

/// The limits that end a run; with all nil it does not end.
package struct LengthSettings: Equatable, Sendable {
    /// The total, resumed parts included.
    package var steps: Int? = 2000
    /// The most passes over the text; nil is no limit.
    package var epochs: Int?
    /// The longest time that the run may take; nil is no limit.
    package var timeLimit: TimeSpan?

    /// The last step, given how many steps an epoch has: the smaller of what `steps` and `epochs`
    /// allow. Nil if only the time limits the run.
    package func lastStep(batchesPerEpoch: Int) -> Int? {
        [steps, epochs.map { $0 * batchesPerEpoch }].compactMap { $0 }.min()
    }
}

/// The settings of a step's arithmetic, from the products to the update.
package struct OptimizerSettings: Equatable, Sendable {
    /// The distribution of the first parameters: Xavier's uniform one, or a normal one.
    package enum FirstValues: String, CaseIterable, Sendable { case xavier, normal }

    /// The format that the operands of products are rounded to.
    package var precision = Precision.f32
    /// The distribution of the first parameters.
    package var initialisation = FirstValues.xavier
    /// The standard deviation of `normal` first parameters.
    package var initialDeviation = 0.02
    /// The peak: lr · min(t/warmup, √(warmup/t)).
    package var learningRate = 0.002
    /// The number of steps until the peak of the learning rate.
    package var warmup = 200
    /// The share of each label's probability that is spread over the vocabulary.
    package var labelSmoothing = 0.1
    /// The longest norm of a gradient; a longer one is clipped. 0 is off.
    package var clipNorm = 1.0
    /// The decoupled weight decay of AdamW; 0 is off.
    package var weightDecay = 0.0
    /// The seed of the first parameters, the order of samples and dropout.
    package var seed: UInt64 = 1
    /// The reaction to a loss or gradient that is not finite.
    package var onNaN = CoordinatorPolicy.NonFinite.stop

    /// The arithmetic of every step of the run, on workers and in `verify` alike.
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

/// The settings of what is kept and said. Intervals are in steps; 0 is off.
package struct ReportingSettings: Equatable, Sendable {
    /// Steps from one checkpoint to the next; 0 makes one at the end only.
    package var checkpointEvery = 200
    /// The number of newest checkpoints that are kept.
    package var keep = 3
    /// Steps from one validation to the next.
    package var validateEvery = 200
    /// Steps from one line of the report to the next, where no terminal is.
    package var logEvery = 10
    /// Steps from one report on every layer to the next; 0, the default, is never.
    package var logLayersEvery = 0
    /// The width of the beam for the samples and the BLEU at the end; 1 is greedy search.
    package var beam = 1

    /// Whether the report of `step` has the norms of every layer.
    package func logsLayers(step: Int) -> Bool {
        logLayersEvery > 0 && step.isMultiple(of: logLayersEvery)
    }
}

/// The workers of a run, and the way that sums travel.
package struct ClusterSettings: Equatable, Sendable {
    /// The number of workers that the run begins with.
    package var workers = 1
    /// Lanes of a worker; nil is the cores shared by the local workers.
    package var threads: Int?
    /// The address to listen at; nil is a free loopback port under `train`,
    /// `Address.standard` under `coordinator`.
    package var bind: Address?
    /// All is plain text, and whoever reaches the coordinator is let in.
    package var insecure = false
    /// Links within a host are encrypted like those between hosts.
    package var secure = false
    /// Whether the first step waits for all workers, however long that takes.
    package var waitForAll = false
    /// Cut the shards among workers by their measured speed.
    package var balance = true
    /// The way that gradients are summed.
    package var collective = Collective.fold
    /// The carrier of sums between workers.
    package var transport = Transport.auto
    /// The format that sums of gradients are rounded to between shards.
    package var wire = WireFormat.f32
    /// The silence after which a peer counts as gone.
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

    /// The number of layers of both stacks; nil where they differ.
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

    /// The number of layers of the encoder; nil where it is that of both stacks.
    var differingEncoderLayers: Int? {
        get { layers == nil ? architecture.encoderLayers : nil }
        set { if let newValue { architecture.encoderLayers = newValue } }
    }

    /// The number of layers of the decoder; nil where it is that of both stacks.
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

    /// The dropout of attention's weights; nil where it is that of everything else.
    var differingAttentionDropout: Float? {
        get {
            architecture.attentionDropout == architecture.dropout
                ? nil : architecture.attentionDropout
        }
        set { architecture.attentionDropout = newValue ?? architecture.dropout }
    }
}
