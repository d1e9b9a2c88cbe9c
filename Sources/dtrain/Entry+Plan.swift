import Foundation
import Measuring
import Model
import Resources
import Ring
import Settings
import Text
import Words

/// What `plan` was asked.
struct PlanRequest {
    let configuration: RunConfiguration
    let workers: Int
    let hosts: Int
    let threads: Int
    let batch: Int
    let length: Int
    let shards: Int
    /// Bytes a second and seconds between hosts.
    let bandwidth: Double
    let latency: Double
    let measured: String?
    let json: Bool
}

/// `plan`.
extension Entry {
    static func plan(_ request: PlanRequest) throws {
        let configuration = request.configuration
        let model = try Transformer(
            Architecture(configuration, vocabulary: vocabulary(of: configuration)),
            precision: configuration.optimizer.precision)
        let plan = StepPlan(
            constants: try constants(request, model), parameters: model.layout.count,
            keepsCopies: model.precision.keepsCopies)
        var sizes = (0...10).map { 1 << $0 }
        if !sizes.contains(request.workers) { sizes.append(request.workers) }
        if !request.json { try StandardOutput.write(header) }
        for workers in sizes.sorted() {
            let cluster = cluster(request, workers)
            for collective in Collective.allCases where workers > 1 || collective == .fold {
                let row = plan.row(cluster, collective)
                if request.json {
                    try StandardOutput.write(json: row)
                } else {
                    let mark = workers == request.workers && collective == .fold ? "*" : " "
                    try StandardOutput.write(mark + line(row))
                }
            }
        }
        let asked = cluster(request, request.workers)
        guard !request.json else { return }
        let advice = plan.advice(asked)
        let nothing = advice.isEmpty ? " nothing: the fold hardly shows" : ""
        try StandardOutput.write("what would help \(request.workers) workers:\(nothing)\n")
        for choice in advice {
            let step = fixed(choice.stepMilliseconds, 0)
            let rate = grouped(Int(choice.tokensPerSecond))
            try StandardOutput.write("  \(choice.words): a step of \(step) ms, \(rate) tokens/s\n")
        }
    }

    private static func vocabulary(of configuration: RunConfiguration) -> Int {
        configuration.text.vocabulary ?? TextSettings.standardVocabulary
    }

    /// As many workers a host as asked for, and as many sequences each.
    private static func cluster(_ request: PlanRequest, _ workers: Int) -> StepPlan.Cluster {
        let perHost = max(1, request.workers / request.hosts)
        return StepPlan.Cluster(
            workers: workers,
            hosts: workers == request.workers
                ? request.hosts
                : request.hosts == 1 && workers < request.workers
                    ? 1 : max(1, (workers + perHost - 1) / perHost),
            threads: request.threads, tokensPerWorker: 2 * request.batch * request.length,
            shards: max(request.shards, workers), bandwidth: request.bandwidth,
            latency: request.latency, wire: request.configuration.cluster.wire)
    }

    private static func constants(
        _ request: PlanRequest, _ model: Transformer
    ) throws -> PlanConstants {
        Endings.ofBenchmark()
        let cores = Processors.usable.count
        let perHost = max(1, request.workers / request.hosts)
        let measured = try request.measured.map {
            try secondsPerToken(run: $0, threads: request.threads, cores: cores)
        }
        let batch = SyntheticBatches(
            sequences: request.batch * request.workers, length: request.length,
            vocabulary: vocabulary(of: request.configuration), shards: request.shards, seed: 1
        ).batch(step: 1)
        var hop = 0.0
        try AllReduceBenchmark(workers: 2, sizes: [1024], transport: .auto)
            .run(arguments: [AllReduceMembership.name]) { hop = $0.median * 0.5e-6 }
        var constants = try PlanConstants.measure(
            model, batch, request.configuration.optimizer.arithmetic,
            busy: min(cores, perHost * request.threads), hopSeconds: hop)
        if let measured { constants.secondsPerToken = measured }
        return constants
    }

    private static func secondsPerToken(run: String, threads: Int, cores: Int) throws -> Double {
        do {
            return try PlanConstants.secondsPerToken(ofRun: run, threads: threads, cores: cores)
        } catch PlanError.noSteps {
            throw Failure(.data, "\(run)/metrics.jsonl holds no step, give a run that trained")
        } catch {
            throw Failure.io("\(run)/metrics.jsonl cannot be read, give --measured a run folder")
        }
    }

    private static let header =
        "  workers  hosts  shards  collective    step ms  computing   fold  update    tokens/s  "
        + "efficiency  MB a link  MB a worker  limited by\n"

    private static func line(_ row: StepPlan.Row) -> String {
        [
            padded("\(row.workers)", -8), padded("\(row.hosts)", -7), padded("\(row.shards)", -8),
            "  " + padded(row.collective.rawValue, 10),
            padded(fixed(row.stepMilliseconds, 0), -11),
            padded(fixed(row.computeMilliseconds, 0), -11),
            padded(fixed(row.foldMilliseconds, 0), -7),
            padded(fixed(row.updateMilliseconds, 0), -8),
            padded(grouped(Int(row.tokensPerSecond)), -12),
            padded("\(fixed(100 * row.efficiency, 0)) %", -12),
            padded(fixed(Double(row.linkBytes) * 1e-6, 1), -11),
            padded(fixed(row.workerMegabytes, 0), -13), "  " + row.limit.rawValue,
        ].joined() + "\n"
    }
}
