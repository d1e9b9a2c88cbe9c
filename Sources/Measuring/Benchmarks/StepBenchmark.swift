import Coordination
import Events
import Foundation
import Messaging
import Model
import Processes
import Resources
import Settings
import Text
import Threads
import Training
import Wire

/// Times whole training steps: a real coordinator and real worker processes, through the commit.
package struct StepBenchmark {
    package var configuration: RunConfiguration
    /// Sequences a worker and their length on both sides; unused with a corpus.
    package var batch: Int
    package var length: Int
    package var steps: Int
    /// Sentence pairs, words as tokens.
    package var corpus: String?
    package var profiles: Bool
    package var software: String

    static let warmUp = 3

    package init(
        configuration: RunConfiguration, batch: Int, length: Int, steps: Int, corpus: String?,
        profiles: Bool, software: String
    ) {
        self.configuration = configuration
        self.batch = batch
        self.length = length
        self.steps = steps
        self.corpus = corpus
        self.profiles = profiles
        self.software = software
    }

    /// What came out; CONTRACT fixes the keys.
    package struct Result: Encodable, Sendable {
        package var tokensPerSecond: Double
        package var stepMilliseconds: Double
        package var parameters: Int
        package var workers: Int
        package var threads: Int
        package var shards: Int
        package var peakMegabytes: Double
        package var gigaflops: Double
        /// All cores' multiply-adds between registers.
        package var peakGigaflops: Double
        /// The step's products alone, all cores busy: those of 10⁶ multiply-adds or more, and smaller ones.
        package var productGigaflops: Double
        package var smallProductGigaflops: Double
        /// Mean milliseconds of a step that members computed, and waited for the fold afterwards.
        package var computeMilliseconds: Double
        package var waitMilliseconds: Double
        package var startSeconds: Double
        /// With `--profile`.
        package var profile: [StepProfile.Row]?

        enum CodingKeys: String, CodingKey {
            case parameters, workers, threads, shards, profile
            case tokensPerSecond = "tokens_per_s"
            case stepMilliseconds = "step_ms"
            case peakMegabytes = "peak_rss_mb"
            case gigaflops = "gflops"
            case peakGigaflops = "peak_gflops"
            case productGigaflops = "product_gflops"
            case smallProductGigaflops = "small_product_gflops"
            case computeMilliseconds = "compute_ms"
            case waitMilliseconds = "wait_ms"
            case startSeconds = "start_to_first_step_s"
        }
    }

    /// Runs the benchmark; throws what the corpus or the processes have to say.
    ///
    /// - Parameter watching: is told what happens in the measured steps.
    package func run(
        requests: any RequestSource, watching: @escaping (RunReport) -> Void = { _ in }
    ) throws -> Result {
        let (batches, vocabulary) = try source()
        let architecture = Architecture(configuration, vocabulary: vocabulary)
        let model = try Transformer(
            architecture, precision: configuration.optimizer.precision)
        let threads = configuration.cluster.threads(
            cores: Processors.usable.count)
        let costs = (1...steps).map { cost(architecture, batches.batch(step: $0 + Self.warmUp)) }
        let rate = try ProductRate.measure(
            costs.first ?? [], model.precision, threads: configuration.cluster.workers * threads)
        let logs = try TemporaryFolder()
        let measurement = Measurement(watching)
        let outcome = try coordinate(
            batches, architecture, model, threads: threads, logs: logs.path, measurement, requests)
        guard case .finished = outcome else { throw StepBenchmarkError.ended(outcome) }
        let profile =
            profiles
            ? StepProfile.measure(
                model, batches.batch(step: 1 + Self.warmUp),
                configuration.optimizer.arithmetic) : nil
        let operations = costs.joined().reduce(0) { $0 + $1.trainingOperations }
        let count = Double(steps)
        return Result(
            tokensPerSecond: Double(measurement.tokens) / measurement.seconds,
            stepMilliseconds: measurement.seconds / count * 1e3, parameters: model.layout.count,
            workers: configuration.cluster.workers, threads: threads,
            shards: configuration.batches.shards,
            peakMegabytes: Double(measurement.peakBytes) * 1e-6,
            gigaflops: operations / measurement.seconds * 1e-9,
            peakGigaflops: rate.peak * 1e-9, productGigaflops: rate.large * 1e-9,
            smallProductGigaflops: rate.small * 1e-9,
            computeMilliseconds: measurement.compute / count * 1e3,
            waitMilliseconds: measurement.wait / count * 1e3,
            startSeconds: measurement.startSeconds, profile: profile?.rows)
    }

    private func source() throws -> (any BatchSource, vocabulary: Int) {
        guard let corpus else {
            let vocabulary = configuration.text.vocabulary ?? TextSettings.standardVocabulary
            let batches = SyntheticBatches(
                sequences: batch * configuration.cluster.workers, length: length,
                vocabulary: vocabulary, shards: configuration.batches.shards,
                seed: configuration.optimizer.seed)
            return (batches, vocabulary)
        }
        let words = try WordTokens(.pairs(corpus))
        let schedule = try BatchSchedule(
            corpus: words.corpus, batchTokens: configuration.batches.tokens,
            shards: configuration.batches.shards, seed: configuration.optimizer.seed)
        return (CorpusBatches(schedule: schedule, heldOut: []), words.vocabulary)
    }

    private func cost(_ architecture: Architecture, _ batch: Batch) -> [StepCost] {
        batch.shards.map { shard in
            StepCost(
                architecture,
                sequences: zip(shard.sources, shard.targets).map { ($0.count, $1.count + 1) })
        }
    }

    private func coordinate(
        _ batches: any BatchSource, _ architecture: Architecture, _ model: Transformer,
        threads: Int, logs: String, _ measurement: Measurement, _ requests: any RequestSource
    ) throws -> Outcome {
        var configuration = configuration
        configuration.optimizer.learningRate = 1e-4
        configuration.optimizer.warmup = 1000
        configuration.cluster.waitForAll = true
        configuration.cluster.balance = false
        configuration.cluster.peerTimeout = .seconds(60)
        configuration.reporting.checkpointEvery = 0
        configuration.reporting.validateEvery = 0
        let job = WorkerJob(architecture: architecture, configuration: configuration)
        var policy = CoordinatorPolicy(
            configuration, run: UInt64.random(in: 1...UInt64.max), epoch: 1, software: software,
            job: try job.encoded(), steps: steps + Self.warmUp, validationBatches: 0)
        policy.checkpoints.atEnd = false
        let setup = CoordinatorSetup(
            policy: policy, configuration: configuration, batches: batches,
            parameterCount: model.layout.count
        ) { StepBenchmarkError.stateLost(step: $0) }
        let host = try RunHost(
            Address(host: "127.0.0.1", port: 0), keys: try RunKeys.passing(),
            shards: configuration.batches.shards, layers: model.layers.count, requests: requests)
        let own = RunHost.OwnWorkers(
            count: configuration.cluster.workers, threads: threads, logs: logs)
        measurement.lastStep = steps + Self.warmUp
        return try host.coordinate(setup, own, report: measurement.observe).outcome
    }
}

package enum StepBenchmarkError: Error, Sendable {
    case ended(Outcome)
    /// Every worker was lost in the middle of the measurement.
    case stateLost(step: Int)
}

/// Collects figures from the coordinator's reports.
private final class Measurement {
    var lastStep = 0
    private(set) var tokens = 0
    private(set) var compute = 0.0
    private(set) var wait = 0.0
    private(set) var peakBytes = 0
    private(set) var startSeconds = 0.0
    private var stepsDone = 0
    private(set) var seconds = 0.0
    private let created = ContinuousClock.now
    private var begun = ContinuousClock.now
    private var processes: [Int: Int32] = [:]

    private let watching: (RunReport) -> Void

    init(_ watching: @escaping (RunReport) -> Void) { self.watching = watching }

    func observe(_ report: RunReport) {
        if isMeasuring { watching(report) }
        switch report {
        case .workerStarted(let worker): processes[worker.index] = worker.processID
        case .step(let step): took(step)
        default: break
        }
    }

    /// The last step of the warm-up is done, and the last of all is not.
    private var isMeasuring: Bool { stepsDone >= StepBenchmark.warmUp && stepsDone < lastStep }

    private func took(_ step: StepReport) {
        stepsDone = step.step
        if step.step == 1 { startSeconds = Clock.seconds(since: created) }
        if step.step == StepBenchmark.warmUp { begun = .now }
        guard step.step > StepBenchmark.warmUp else { return }
        tokens += step.tokens
        compute += step.computeSeconds
        wait += step.waitSeconds
        guard step.step == lastStep else { return }
        seconds = Clock.seconds(since: begun)
        peakBytes = processes.values.map(Self.mostMemory).max() ?? 0
    }

    /// The most memory that a process has had resident, in bytes; of what several processes map, its
    /// share at the end.
    private static func mostMemory(_ processID: Int32) -> Int {
        kilobytes("VmHWM:", processID, "status") * 1024
            - kilobytes("VmRSS:", processID, "status") * 1024
            + kilobytes("Pss:", processID, "smaps_rollup") * 1024
    }

    private static func kilobytes(_ name: String, _ processID: Int32, _ file: String) -> Int {
        let text = try? String(contentsOfFile: "/proc/\(processID)/\(file)", encoding: .utf8)
        let line = text?.split(separator: "\n").first { $0.hasPrefix(name) }
        let fields = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }) ?? []
        return fields.count > 1 ? Int(fields[1]) ?? 0 : 0
    }
}
