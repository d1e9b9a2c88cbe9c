import Checkpoint
import Foundation
import Model
import Parameters
import Resources
import Ring
import Synchronization
import Text
import Threads
import Training

/// What a step costs on this machine, measured with as many threads busy as a worker's host will
/// have: the constants of `StepPlan`.
package struct PlanConstants: Codable, Sendable {
    /// A thread's seconds for a token's gradient.
    package var secondsPerToken: Double
    /// When the parts of the vector are final: (share from its start, seconds per token of the shard
    /// before the shard's end), in the order of the backward pass.
    package var finals: [Final]
    /// Seconds a byte of the vector to add one shard's gradient; to take a total in; to digest and
    /// norm it and update the state.
    package var addPerByte: Double
    package var storePerByte: Double
    package var updatePerByte: Double
    /// From one process of this host to the next.
    package var hopSeconds: Double
    /// Bytes of a thread's activations.
    package var activations: Int
    package var cores: Int

    package struct Final: Codable, Sendable {
        package var share: Double
        package var before: Double
    }

    /// Messages with the coordinator, votes and commit of a step.
    static let controlSeconds = 0.0015

    /// Measures for a worker with `shards` shards of `batch`, while `busy` threads work.
    package static func measure(
        _ model: Transformer, _ batch: Batch, _ arithmetic: StepArithmetic, busy: Int,
        hopSeconds: Double
    ) throws(ResourceError) -> PlanConstants {
        let pool = try LanePool(lanes: busy)
        defer { pool.stop() }
        let shard = ModelInput(batch.shards[0])
        let gradients = measureGradient(model, shard, batch.labels, arithmetic, pool)
        // Large vectors would only take longer.
        let count = min(model.layout.count, 4 << 20) / (256 << 10) * (256 << 10)
        let passes = measurePasses(max(256 << 10, count), pool)
        let tokens = Double(
            batch.shards[0].sources.joined().count
                + batch.shards[0].targets.reduce(0) { $0 + $1.count + 1 })
        return PlanConstants(
            secondsPerToken: gradients.seconds / tokens,
            finals: gradients.finals.map {
                Final(
                    share: Double($0.element) / Double(model.layout.count),
                    before: $0.before / tokens)
            },
            addPerByte: passes.add, storePerByte: passes.store, updatePerByte: passes.update,
            hopSeconds: hopSeconds, activations: gradients.memory,
            cores: Processors.usable.count)
    }

    /// The time of a token's gradient in a run's workers of so many threads: the median over steps.
    ///
    /// - Throws: `PlanError.noSteps` if no line of its metrics has these figures, or what reading
    ///   the file throws.
    package static func secondsPerToken(
        ofRun path: String, threads: Int, cores: Int
    ) throws -> Double {
        struct Line: Decodable {
            var computeSeconds: Double?
            var tokens: Int?
            var workers: Int?

            enum CodingKeys: String, CodingKey {
                case tokens, workers
                case computeSeconds = "compute_s"
            }
        }
        let text = try String(contentsOfFile: path + "/metrics.jsonl", encoding: .utf8)
        let rates = text.split(separator: "\n").compactMap { line -> Double? in
            guard let values = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)),
                let seconds = values.computeSeconds, let tokens = values.tokens,
                let workers = values.workers, tokens > 0
            else { return nil }
            let crowd = max(1, Double(workers * threads) / Double(cores))
            return seconds * Double(workers * threads) / Double(tokens) / crowd
        }
        guard !rates.isEmpty else { throw PlanError.noSteps(path) }
        return rates.sorted()[rates.count / 2]
    }

    // MARK: Measuring

    private static func measureGradient(
        _ model: Transformer, _ input: ModelInput, _ labels: Int,
        _ arithmetic: StepArithmetic, _ pool: LanePool
    ) -> (seconds: Double, finals: [(element: Int, before: Double)], memory: Int) {
        let parameters = ParameterVector(count: model.layout.count)
        model.initialise(parameters, seed: arithmetic.seed, arithmetic.initialisation)
        let results = Mutex<[(seconds: Double, finals: [(Int, Double)], memory: Int)]>([])
        pool.runAndWait { index in
            let gradient = ParameterVector(count: model.layout.count)
            let lane = Lane(model)
            for round in 0..<4 {
                var finals: [(Int, ContinuousClock.Instant)] = []
                let start = ContinuousClock.now
                _ = arithmetic.gradient(
                    of: input, shard: index, step: round, labels: labels,
                    parameters: parameters, into: gradient, on: lane
                ) { finals.append(($0, .now)) }
                let end = ContinuousClock.now
                guard round > 0 else { continue }
                let before = finals.map { ($0.0, $0.1.duration(to: end).seconds) }
                results.withLock {
                    $0.append((start.duration(to: end).seconds, before, lane.memory))
                }
            }
        }
        let sorted = results.withLock { $0.sorted { $0.seconds < $1.seconds } }
        // Other work on this host only ever makes it slower.
        let middle = sorted[sorted.count / 4]
        return (middle.seconds, middle.finals.map { ($0.0, $0.1) }, middle.memory)
    }

    private static func measurePasses(
        _ count: Int, _ pool: LanePool
    ) -> (add: Double, store: Double, update: Double) {
        let results = Mutex<[(Double, Double, Double)]>([])
        pool.runAndWait { _ in
            let vectors = (0..<2).map { _ in ParameterVector(count: count) }
            let total = ParameterVector(count: count)
            for vector in vectors + [total] { vector.fill(1e-3) }
            let state = TrainingState(parameters: ParameterVector(count: count))
            state.parameters.fill(1)
            let chunk = StepNumbers.blockBytes / 4
            let blocks = FastDigest.Blocks(
                byteCount: 4 * count, blockBytes: StepNumbers.blockBytes)
            for round in 0..<4 {
                var numbers = StepNumbers(gradients: vectors, total: total, blocks: blocks)
                let start = ContinuousClock.now
                for first in stride(from: 0, to: count, by: chunk) {
                    _ = numbers.add(
                        first..<first + chunk, onto: nil,
                        into: numbers.place(of: first..<first + chunk))
                }
                let added = ContinuousClock.now
                for first in stride(from: 0, to: count, by: chunk) {
                    let bytes = UnsafeRawBufferPointer(
                        start: vectors[0].unsafeAddress + first, count: 4 * chunk)
                    _ = numbers.store(ChunkOperand(checked: bytes), first..<first + chunk)
                }
                let stored = ContinuousClock.now
                _ = squaredNorm(of: total)
                state.update(total: total, adam: AdamW(), scale: 1, rate: 1e-4)
                let digests = StateDigest(count: count)
                digests.set(0..<digests.blockCount, of: state)
                let end = ContinuousClock.now
                guard round > 0 else { continue }
                let bytes = Double(4 * count)
                results.withLock {
                    $0.append(
                        (
                            start.duration(to: added).seconds / bytes / 2,
                            added.duration(to: stored).seconds / bytes,
                            stored.duration(to: end).seconds / bytes
                        ))
                }
            }
        }
        let all = results.withLock { $0 }
        func quartile(_ values: [Double]) -> Double { values.sorted()[values.count / 4] }
        return (quartile(all.map(\.0)), quartile(all.map(\.1)), quartile(all.map(\.2)))
    }
}

package enum PlanError: Error, Sendable {
    /// This run's metrics hold no step.
    case noSteps(String)
}
