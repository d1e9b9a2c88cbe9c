import Coordination
import Foundation
import Links
import Ring

/// The time of a step on so many workers, from measured constants.
///
///     step = compute + what shows of the fold + update + control
package struct StepPlan: Sendable {
    /// What a cluster is.
    package struct Cluster: Sendable {
        package var workers: Int
        package var hosts: Int
        package var threads: Int
        /// Source + target tokens of a worker in a step.
        package var tokensPerWorker: Int
        package var shards: Int
        /// Bytes a second and seconds between hosts.
        package var bandwidth: Double
        package var latency: Double
        package var wire: WireFormat

        package init(
            workers: Int, hosts: Int, threads: Int, tokensPerWorker: Int, shards: Int,
            bandwidth: Double, latency: Double, wire: WireFormat
        ) {
            self.workers = workers
            self.hosts = hosts
            self.threads = threads
            self.tokensPerWorker = tokensPerWorker
            self.shards = shards
            self.bandwidth = bandwidth
            self.latency = latency
            self.wire = wire
        }
    }

    package enum Limit: String, Codable, Sendable {
        case computing, links
        case length = "length of the ring"
        case folding = "adding gradients"
    }

    /// One line of the table.
    package struct Row: Encodable, Sendable {
        package var workers: Int
        package var hosts: Int
        package var shards: Int
        package var collective: Collective
        package var stepMilliseconds: Double
        package var computeMilliseconds: Double
        package var foldMilliseconds: Double
        package var updateMilliseconds: Double
        package var tokensPerSecond: Double
        /// Tokens/s over those of so many lone workers on cores of their own, which add as many
        /// shards as one of these does.
        package var efficiency: Double
        package var linkBytes: Int
        package var workerMegabytes: Double
        package var limit: Limit

        enum CodingKeys: String, CodingKey {
            case workers, hosts, shards, collective, efficiency, limit
            case stepMilliseconds = "step_ms"
            case computeMilliseconds = "compute_ms"
            case foldMilliseconds = "fold_ms"
            case updateMilliseconds = "update_ms"
            case tokensPerSecond = "tokens_per_s"
            case linkBytes = "link_bytes"
            case workerMegabytes = "worker_mb"
        }
    }

    package let constants: PlanConstants
    package let parameters: Int
    /// Whether workers keep the parameters rounded, too: half a vector.
    package let keepsCopies: Bool

    package init(constants: PlanConstants, parameters: Int, keepsCopies: Bool = false) {
        self.constants = constants
        self.parameters = parameters
        self.keepsCopies = keepsCopies
    }

    private var vectorBytes: Int { 4 * parameters }

    package func row(_ cluster: Cluster, _ collective: Collective) -> Row {
        let own = (cluster.shards + cluster.workers - 1) / cluster.workers
        let alone = time(
            Cluster(
                workers: 1, hosts: 1, threads: cluster.threads,
                tokensPerWorker: cluster.tokensPerWorker, shards: own,
                bandwidth: cluster.bandwidth, latency: 0, wire: cluster.wire), .fold)
        let time = time(cluster, collective)
        let tokens = Double(cluster.tokensPerWorker * cluster.workers)
        let neighbour = cluster.workers > cluster.hosts ? 1 : 0
        let memory =
            vectorBytes * (4 + own + neighbour) + (keepsCopies ? vectorBytes / 2 : 0)
            + cluster.threads * constants.activations
        return Row(
            workers: cluster.workers, hosts: cluster.hosts, shards: cluster.shards,
            collective: collective, stepMilliseconds: time.step * 1e3,
            computeMilliseconds: time.compute * 1e3, foldMilliseconds: time.fold * 1e3,
            updateMilliseconds: time.update * 1e3, tokensPerSecond: tokens / time.step,
            efficiency: alone.step / time.step, linkBytes: linkBytes(cluster, collective),
            workerMegabytes: Double(memory) * 1e-6, limit: time.limit)
    }

    /// Bytes of numbers that the busiest link carries in a step.
    package func linkBytes(_ cluster: Cluster, _ collective: Collective) -> Int {
        // Sums are made of the gradients where they lie, each by one worker: totals alone travel.
        if cluster.hosts == 1, collective == .fold, cluster.shards <= VectorBoard.places {
            return vectorBytes * (cluster.workers - 1) / cluster.workers
        }
        // In shared memory numbers are what they are.
        return collective.linkBytes(
            elements: parameters, workers: cluster.workers,
            wire: cluster.hosts == 1 ? .f32 : cluster.wire)
    }

    private struct Time {
        var compute, fold, update, step: Double
        var limit: Limit
    }

    private func time(_ cluster: Cluster, _ collective: Collective) -> Time {
        let perHost = Double(cluster.workers) / Double(cluster.hosts)
        let threads = Double(cluster.threads)
        let crowd = max(1, perHost * threads / Double(constants.cores))
        let own = (cluster.shards + cluster.workers - 1) / cluster.workers
        let rounds = Double((own + cluster.threads - 1) / cluster.threads)
        // Workers with a shard more than others keep them waiting.
        let shardTokens =
            Double(cluster.tokensPerWorker * cluster.workers) / Double(cluster.shards)
        var compute = rounds * shardTokens * constants.secondsPerToken * crowd
        let pipeline = pipeline(cluster, own: own, shardTokens: shardTokens, crowd: crowd)
        let shown = collective == .fold ? pipeline.seconds() : pipeline.ringSeconds()
        // What is added before the end takes time from the lanes if no core is idle.
        if perHost * threads >= Double(constants.cores) {
            let early = pipeline.ready.filter { $0 < 0 }.count
            compute += Double(early) * pipeline.add / threads
        }
        let update = Double(vectorBytes) * constants.updatePerByte * max(1, crowd / threads)
        let fold = max(0, shown)
        let step =
            compute + fold + update + PlanConstants.controlSeconds + 3 * cluster.latency
        return Time(
            compute: compute, fold: fold, update: update, step: step,
            limit: limit(pipeline, compute: compute, fold: fold))
    }

    private func pipeline(
        _ cluster: Cluster, own: Int, shardTokens: Double, crowd: Double
    ) -> PipelinedFold {
        let chunk = chunkBytes(cluster)
        let chunks = max(1, (vectorBytes + chunk - 1) / chunk)
        return PipelinedFold(
            workers: cluster.workers, chunks: chunks,
            add: Double(chunk * max(1, own)) * constants.addPerByte * crowd,
            store: Double(chunk) * constants.storePerByte * crowd,
            link: Double(cluster.wire.byteCount(chunk / 4)) / cluster.bandwidth,
            latency: constants.hopSeconds, slowLinks: cluster.hosts > 1 ? cluster.hosts : 0,
            ready: (0..<chunks).map { index in
                let share = Double(chunks - 1 - index) / Double(chunks)
                let final = constants.finals.first { $0.share <= share }
                return -(final?.before ?? 0) * shardTokens * crowd
            }, slowLatency: cluster.latency)
    }

    /// As the coordinator cuts for such links once it has measured them.
    private func chunkBytes(_ cluster: Cluster) -> Int {
        guard cluster.hosts > 1 else { return StepNumbers.blockBytes }
        return ChunkSize.bytes(
            vector: vectorBytes, workers: cluster.workers,
            underWay: cluster.bandwidth * 2 * cluster.latency)
    }

    private func limit(_ pipeline: PipelinedFold, compute: Double, fold: Double) -> Limit {
        guard fold > 0.15 * compute else { return .computing }
        if pipeline.length > fold / 2 { return .length }
        return pipeline.isHeldByLinks ? .links : .folding
    }

    // MARK: Advice

    /// A choice and the step that it would bring.
    package struct Advice: Sendable, Equatable {
        package var words: String
        package var stepMilliseconds: Double
        package var tokensPerSecond: Double
    }

    /// What would help a cluster whose fold shows, the best first; empty if computing takes nearly
    /// all the time.
    package func advice(_ cluster: Cluster) -> [Advice] {
        let fold = row(cluster, .fold)
        guard fold.efficiency < 0.9, fold.limit != .computing else { return [] }
        var found: [Advice] = []
        func consider(_ candidate: Cluster, _ collective: Collective, _ words: String) {
            let row = row(candidate, collective)
            // Less is within what a prediction may be wrong by.
            guard row.tokensPerSecond > 1.05 * fold.tokensPerSecond else { return }
            found.append(
                Advice(
                    words: words, stepMilliseconds: row.stepMilliseconds,
                    tokensPerSecond: row.tokensPerSecond))
        }
        consider(cluster, .ring, "--collective ring (its sums depend on the number of workers)")
        for wire in [WireFormat.bf16, .int8] where cluster.wire == .f32 && cluster.hosts > 1 {
            var candidate = cluster
            candidate.wire = wire
            consider(candidate, .fold, "--wire \(wire.rawValue)")
        }
        if cluster.shards > cluster.workers {
            var candidate = cluster
            candidate.shards = cluster.workers
            consider(candidate, .fold, "--shards \(cluster.workers) (fewer, larger shards)")
        }
        var larger = cluster
        larger.tokensPerWorker *= 4
        consider(larger, .fold, "larger batches (four times the tokens a worker)")
        return found.sorted { $0.tokensPerSecond > $1.tokensPerSecond }
    }
}
