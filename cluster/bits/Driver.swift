import Bytes
import Kernels
import Model
import Parameters
import Training

/// Trains and translates as the words on standard input say, and writes θ and the translations.
///
/// Nothing is computed here: token ids and settings in, raw numbers out, all 32-bit little-endian words.
/// `cluster/check-bits` builds it for arm64 out of the sources of Kernels, Parameters, Model and
/// Training as they are; `cluster/bits/reader` writes what it reads.
@main struct Driver {
    static func main() {
        var words = Words(content: readAll())
        let architecture = words.architecture()
        let precision: Precision = words.choice()
        let arithmetic = words.arithmetic()
        guard let model = try? Transformer(architecture, precision: precision) else {
            fatalError("architecture")
        }
        let state = TrainingState(
            parameters: ParameterVector(count: model.layout.count),
            trainable: model.layout.trainable)
        arithmetic.begin(state, of: model)
        let trainer = Trainer(model: model, arithmetic: arithmetic, state: state)
        for _ in 0..<words.count() {
            let labels = words.count()
            trainer.step(words.list { $0.input() }, labels: labels)
        }
        write(state.parameters)
        let sources = words.list { $0.ids() }
        guard !sources.isEmpty else { return }
        for beam in [1, 4] {
            for ids in Decoding(model).translate(
                sources, parameters: state.parameters, beam: beam)
            {
                write([Int32(ids.count)] + ids)
            }
        }
    }
}

/// One step after another, on one lane.
struct Trainer {
    let model: Transformer
    let arithmetic: StepArithmetic
    let state: TrainingState
    private let lane: Lane
    private let gradient, total: ParameterVector

    init(model: Transformer, arithmetic: StepArithmetic, state: TrainingState) {
        self.model = model
        self.arithmetic = arithmetic
        self.state = state
        lane = Lane(model)
        gradient = ParameterVector(count: state.count)
        total = ParameterVector(count: state.count)
    }

    func step(_ shards: [ModelInput], labels: Int) {
        let step = state.step + 1
        var losses: [ShardLoss] = []
        for (shard, input) in shards.enumerated() {
            losses.append(
                arithmetic.gradient(
                    of: input, shard: shard, step: step, labels: labels,
                    parameters: state.parameters, into: shard == 0 ? total : gradient, on: lane))
            if shard > 0 { add(row(gradient), into: row(total), accumulate: true) }
        }
        let norm = squaredNorm(of: total, trainable: state.trainable)
        guard StepArithmetic.isUsable(squaredNorm: norm, losses: losses) else {
            return state.skip()
        }
        arithmetic.update(
            0..<total.blockCount, of: state, total: total, squaredNorm: norm,
            rate: arithmetic.schedule.rate(step: step))
        state.advance()
    }

    private func row(_ vector: ParameterVector) -> Matrix {
        Matrix(base: vector.unsafeAddress, rows: 1, columns: vector.count)
    }
}

/// The input, read from front to back.
struct Words {
    let content: [Int32]
    private var next = 0

    init(content: [Int32]) { self.content = content }

    mutating func count() -> Int { Int(word()) }

    mutating func list<Value>(_ value: (inout Words) -> Value) -> [Value] {
        let count = count()
        return (0..<count).map { _ in value(&self) }
    }

    mutating func ids() -> [Int32] { list { $0.word() } }

    mutating func input() -> ModelInput {
        ModelInput(
            source: Sequences(list { $0.ids() }), decoder: Sequences(list { $0.ids() }),
            labels: ids())
    }

    mutating func architecture() -> Architecture {
        Architecture(
            kind: choice(), norm: choice(), normalisation: choice(), residual: word() == 1,
            activation: choice(), positionEncoding: choice(), tying: choice(),
            sharesQueryKey: word() == 1, dModel: count(), encoderLayers: count(),
            decoderLayers: count(), dFF: count(), heads: count(), vocabulary: count(),
            positions: count(), dropout: float(), attentionDropout: float())
    }

    mutating func arithmetic() -> StepArithmetic {
        let seed = long()
        let isNormal = word() == 1
        let deviation = float()
        return StepArithmetic(
            seed: seed, initialisation: isNormal ? .normal(deviation: deviation) : .xavier,
            labelSmoothing: float(), clipNorm: float(),
            adam: AdamW(beta1: double(), beta2: double(), epsilon: double(), weightDecay: double()),
            schedule: LearningRateSchedule(peak: float(), warmup: count()))
    }

    mutating func choice<Choice: CaseIterable>() -> Choice
    where Choice.AllCases == [Choice] {
        Choice.allCases[count()]
    }

    private mutating func word() -> Int32 {
        next += 1
        return content[next - 1]
    }

    private mutating func float() -> Float { Float(bitPattern: UInt32(bitPattern: word())) }

    private mutating func long() -> UInt64 {
        let low = UInt64(UInt32(bitPattern: word()))
        return low | UInt64(UInt32(bitPattern: word())) << 32
    }

    private mutating func double() -> Double { Double(bitPattern: long()) }
}

func readAll() -> [Int32] {
    var content: [Int32] = []
    while true {
        var word: Int32 = 0
        guard dtrain_read(&word, 4) == 4 else { return content }
        content.append(word)
    }
}

func write(_ vector: ParameterVector) {
    vector.withBytes(0..<vector.count) { dtrain_write($0.baseAddress!, $0.count) }
}

func write(_ words: [Int32]) {
    words.withUnsafeBytes { dtrain_write($0.baseAddress!, $0.count) }
}
