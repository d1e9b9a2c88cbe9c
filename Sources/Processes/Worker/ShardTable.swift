import Links
import Model
import Parameters
import Wire

/// One shard of the step at hand: its input, its own gradient, how far that has come.
final class ShardWork: @unchecked Sendable {
    enum Progress: Hashable {
        case pending
        /// Every element at or above this offset is final.
        case running(downTo: Int)
        case done(ShardReport)
    }

    let shard: Int
    let input: ModelInput
    let gradient: ParameterVector
    // Guarded by the step runner's lock.
    var progress = Progress.pending

    init(shard: Int, input: ModelInput, gradient: ParameterVector) {
        self.shard = shard
        self.input = input
        self.gradient = gradient
    }
}

/// The shards that a worker has of one step, and memory for their gradients.
///
/// A gradient stays as it is until the step is committed: when the ring changes, shards that are
/// computed are not computed again.
struct ShardTable {
    private(set) var step = 0
    /// Own shards in shard order.
    private(set) var own: [ShardWork] = []
    /// Shards still being computed that no longer belong to the step or to this worker.
    private var orphans: [ShardWork] = []
    private var spare: [ParameterVector] = []
    private let parameterCount: Int
    private let sink: any GradientSink

    init(parameterCount: Int, sink: any GradientSink) {
        self.parameterCount = parameterCount
        self.sink = sink
    }

    /// Makes `inputs` the own shards; what is already there of the same step is kept, where the ring
    /// can fold it.
    mutating func arrange(step: Int, inputs: [(shard: Int, input: ModelInput)]) {
        if step != self.step { forgetAll() }
        self.step = step
        let sink = sink
        let kept = own.filter { work in
            sink.canFold(work.gradient) && inputs.contains { $0.shard == work.shard }
        }
        // Memory that is free again goes to new shards before more is asked for.
        for work in own where !kept.contains(where: { $0 === work }) { release(work) }
        spare.removeAll { !sink.canFold($0) }
        own = inputs.map { shard, input in
            kept.first { $0.shard == shard }
                ?? ShardWork(shard: shard, input: input, gradient: takeGradient())
        }
    }

    /// Nothing that was computed counts any more.
    mutating func forgetAll() {
        let all = own
        own = []
        step = 0
        for work in all { release(work) }
    }

    mutating func takePending() -> ShardWork? {
        let work = own.first { $0.progress == .pending }
        work?.progress = .running(downTo: parameterCount)
        return work
    }

    func index(of work: ShardWork) -> Int? { own.firstIndex { $0 === work } }

    mutating func finish(_ work: ShardWork, _ report: ShardReport) {
        work.progress = .done(report)
        guard let index = orphans.firstIndex(where: { $0 === work }) else { return }
        orphans.remove(at: index)
        spare.append(work.gradient)
    }

    /// The reports of all own shards, once all are computed.
    var reports: [ShardReport]? {
        var result: [ShardReport] = []
        for work in own {
            guard case .done(let report) = work.progress else { return nil }
            result.append(report)
        }
        return result
    }

    private mutating func takeGradient() -> ParameterVector {
        spare.popLast() ?? sink.vector(count: parameterCount)
    }

    private mutating func release(_ work: ShardWork) {
        if case .running = work.progress {
            orphans.append(work)
        } else {
            spare.append(work.gradient)
        }
    }
}
