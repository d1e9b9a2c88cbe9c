import Checkpoint
import Coordination
import Events
import Foundation
import Messaging
import Preparation
import Settings
import Text
import Threads
import Wire

/// One report of every kind, and a note of every kind.
enum SampleReports {
    static let generation = Generation(epoch: 2, counter: 7)
    static let error = CheckpointError.io(path: "/run/ledger.jsonl", operation: .write, code: 28)

    /// As a run of the tests has said it.
    static let prepared = #"""
        {"clock":0,"number":1,"prepared":{"batches_per_epoch":3,"folder":"/runs/a","parameters":9,"resumed_from":4,"steps":12,"text":{"coverage":{"tokens":9,"unknown":{"é":2},"unknownTokens":2},"coverageHeldOut":{"tokens":1,"unknown":{},"unknownTokens":0},"heldOutSamples":1,"positions":24,"rewrittenText":"ﬁ½","shrunkFrom":64,"summary":{"alsoInValidation":0,"heldOut":1,"lines":{"blank":0,"emptySource":0,"emptyTarget":0,"firstDropped":{"file":"a.tsv","line":3},"read":12,"spaceMarks":0,"tooLong":{"count":0,"places":[]}},"repeated":0,"training":11,"unit":"pairs"},"tooLong":{"count":1,"places":[{"file":"a.tsv","line":2}]},"tooLongHeldOut":{"count":0,"places":[]},"trainingTokens":99,"validates":true,"vocabulary":48},"vocabulary":48,"workers":2},"time":0}
        """#

    static let step = StepReport(
        step: 3, epoch: 1, loss: 4.5, negativeLogLikelihood: .nan, learningRate: 0.001,
        gradientNorm: .infinity, tokens: 200,
        timing: StepTiming(step: 0.5, compute: 0.25, fold: 0.125, wait: 0.0625), workers: 2,
        isSkipped: true,
        layers: [LayerReport(name: "encoder.layers.0", gradientNorm: 1, activation: 2)])

    static let status: RunStatus = value(
        #"{"step":3,"steps":12,"generation":7,"incarnation":2,"state":"running","paused":false,"#
            + #""workers":[{"id":"w1","host":"h","pid":77,"rank":0,"shards":4,"phase":"folding","#
            + #""relayed":false,"slice":1,"slices":8,"waiting_for":"w2","heard_ms":5,"step_ms":9,"#
            + #""late_steps":1,"late_ms":3}]}"#)
    static let one: NamedWorker = value(#"{"name":"w1","host":"h"}"#)
    static let other: NamedWorker = value(#"{"name":"w2","host":"i"}"#)
    static let awaited: Awaited = value(
        #"{"name":"w1","host":"h","phase":"folding","waiting_for":"w2"}"#)
    static let time: ShardTime = value(#"{"name":"w1","threads":2,"milliseconds":9}"#)
    static let validated: ValidationResult = value(
        #"{"step":3,"smoothed":5,"loss":4,"labels":99}"#)

    private static func value<Value: Decodable>(_ json: String) -> Value {
        try! JSONDecoder().decode(Value.self, from: Data(json.utf8))
    }

    static let spans = PhaseSpan.Phase.allCases.map {
        PhaseSpan(
            phase: $0, worker: $0 == .step ? nil : "w1", step: 3,
            generation: $0 == .gathering ? nil : generation, start: 1.5, end: 2,
            clockError: 0.00025)
    }

    static let notes: [CoordinatorNote] = [
        .joined(name: "w1", host: "h", processID: 77, threads: 2, waitingFor: 1),
        .relayed(name: "w1", host: "h"),
        .refused(host: "h", processID: 77, .version(theirs: "a", ours: "b")),
        .refused(host: "h", processID: 77, .full(limit: 3)),
        .lost(name: "w1", host: "h", reason: .silent(milliseconds: 9), step: 3, phase: "folding"),
        .lost(name: "w1", host: "h", reason: .left("asked"), step: 3, phase: "folding"),
        .formed(generation, members: ["w1", "w2"], bounds: [0, 4, 8]),
        .allGone(step: 3), .goingBack(from: 3, to: 2), .adopted(name: "w1", from: 2, to: 3),
        .teaching(name: "w1", step: 3), .commitRepeated(name: "w1", step: 3),
        .checkpointRetried(step: 3, milliseconds: 9), .restoring(names: ["w1"], step: 3),
        .ringBroken(
            one, RingFault(.lost, [.predecessor, .successor], detail: "cut"), [other]),
        .leftOut(name: "w1", host: "h", other: "w2", otherHost: "i"),
        .linkAvoided(name: "w1", host: "h", other: "w2", otherHost: "i"),
        .detour(host: "h", other: "i", rate: 1e6, usual: 1e9, order: ["h", "j", "i"]),
        .awaiting(step: 3, [awaited], milliseconds: 9),
        .straggler(name: "w1", host: "h", steps: 40, milliseconds: 9, stepMilliseconds: 90),
        .balancing(step: 3, [time], before: 20, after: 10),
        .gathering(names: ["w1"], missing: 1, milliseconds: 9),
        .stalled(step: 3, waiting: ["w1"], milliseconds: 9),
        .stateDiffers(step: 3, names: ["w1"]), .totalsDiffer(step: 3, names: ["w1"]),
        .skipped(step: 3, shards: [1, 2]), .stopping(step: 3),
        .nonsense(name: "w1", .tooLong(field: "text", count: 9, limit: 8)),
        .tokenChanged(workers: 2),
    ]

    static let reports: [RunReport] =
        [
            .textUnchecked, .listening(Listening(Address(host: "::1", port: 5555), isPlain: false)),
            .step(step), .phases(spans),
            .validated(validated),
            .checkpoint(SavedCheckpoint(step: 3, path: "/run/checkpoints/3", digest: "ab")),
            .checkpointFailed(FailedCheckpoint(step: 3, error)), .ledgerFailed(error),
            .ledgerRecovered(seconds: 1.5), .ledgerNotDurable(error),
            .repaired(.ledgerCut(bytes: 9)),
            .repaired(.checkpointPassedOver(path: "/run/checkpoints/2", error)),
            .repaired(.metricsLack(steps: 2...3)),
            .repaired(.ledgerMended(line: 2, kept: "ledger.old", steps: 1..<3)),
            .notLinked(.latestTaken(path: "/runs/latest")),
            .workerStarted(StartedWorker(index: 0, processID: 77, log: "/run/logs/worker-1.log")),
            .workerEnded(EndedWorker(index: 0, processID: 77, status: .signal(9))),
            .timeIsUp(step: 3),
            .turnedAway(Stranger(host: "10.0.0.9", .nonsense(code: 5), more: 2)),
            .nonFinite(
                NonFiniteShard(
                    step: 3, shard: 1, samples: [4, 5], places: [Place(file: "a.tsv", line: 4)])),
            .dump(StateDump("stepping", status)),
            .ended(Ending(.stopped(step: 3, saved: 2), step: 3)), .ended(Ending(nil, step: 3)),
            .lost(LostEvents(observer: "metrics.jsonl", count: 12)),
        ] + notes.map { .note($0) }
}
