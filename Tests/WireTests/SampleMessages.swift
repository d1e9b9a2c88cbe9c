import Wire

/// One message of every kind and of every branch in its coding.
enum SampleMessages {
    static let generation = Generation(epoch: 3, counter: 41)
    static let digest = WireDigest(high: 0x0123_4567_89AB_CDEF, low: 42)
    static let address = PeerAddress(
        hostKey: "boot 7 host", hostName: "hôte", ipc: "ipc:///tmp/a", tcp: "tcp://10.0.0.1:4000")
    static let reports = [
        ShardReport(shard: 2, smoothed: 12.5, negativeLogLikelihood: 11.25, labels: 31),
        ShardReport(shard: 3, smoothed: .infinity, negativeLogLikelihood: -0.0, labels: 0),
    ]
    static let slice = StateSlice(
        step: 9, adamCount: 8, section: .secondMoment, offset: 1 << 20, bytes: [0, 1, 2, 255])
    static let shards = [
        ShardWords(shard: 0, words: [1, -2, .max]), ShardWords(shard: 1, words: []),
    ]

    static let ofWorker: [WorkerMessage] = [
        .hello(
            Hello(
                software: "dtrain 1", address: address, processID: 77, instance: .max, threads: 2,
                kernel: "Haswell", probe: digest)),
        .hello(
            Hello(
                software: "", address: address, processID: 0, instance: 0, threads: 0, kernel: "",
                probe: digest, run: 5, epoch: 6)),
        .prepared(holds: nil, folded: nil),
        .prepared(holds: 4, folded: nil),
        .prepared(holds: 4, folded: FoldedStep(step: 5, total: digest, state: digest)),
        .stateReady(step: 1 << 40),
        .formed(generation),
        .voted(
            Vote(
                generation: generation, step: 10, total: digest, state: digest, squaredNorm: 2.5,
                nonFiniteShards: [2], reports: reports, computeSeconds: 1, waitSeconds: 0.5,
                foldSeconds: 0.25)),
        .evaluated(Evaluation(step: 10, batch: 2, reports: reports)),
        .heartbeat(
            Heartbeat(phase: .folding, step: 10, progress: .max, waitingFor: "slice 3 of w2")),
        .slice(slice),
        .sliceTaken(step: 9, position: 1 << 30),
        .ringBroken(generation, reason: "the link to w3 is gone"),
        .leaving(reason: "it was asked to stop"),
    ]

    static let ofCoordinator: [CoordinatorMessage] = [
        .welcome(
            Welcome(
                run: 5, epoch: 6, name: "w1", peerTimeoutMilliseconds: 10_000,
                configuration: Array("{}".utf8))),
        .refused(.version(theirs: "0.1", ours: "0.2")),
        .refused(.arithmetic(theirs: "Zen", ours: "Haswell")),
        .refused(.full(limit: 4096)),
        .refused(.finished),
        .initialise,
        .slice(slice),
        .snapshot(step: 9),
        .sliceTaken(step: 9, position: 4),
        .abandonSnapshot(step: 9),
        .roster(
            Roster(
                generation: generation, committed: 9, rank: 1, bounds: [0, 2, 4, 8],
                names: ["w1", "w2", "w5"], successor: address)),
        .roster(
            Roster(
                generation: generation, committed: 0, rank: 0, bounds: [0, 8], names: ["w1"],
                successor: nil)),
        .step(
            StepOrder(
                generation: generation, step: 10, learningRate: 1e-3, labels: 900, shards: shards)),
        .commit(Commit(step: 10, total: digest, skipped: true)),
        .evaluate(EvaluationOrder(step: 10, batch: 0, shards: shards)),
        .heartbeat,
        .sayHello,
        .finish(reason: "the run is finished"),
    ]
}
