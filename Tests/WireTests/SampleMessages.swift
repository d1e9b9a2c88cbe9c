import Parameters
import Wire

/// One message of every kind and of every branch in its coding.
enum SampleMessages {
    static let generation = Generation(epoch: 3, counter: 41)
    static let digest = FastDigest(high: 0x0123_4567_89AB_CDEF, low: 42)
    static let key = (0..<32).map { UInt8($0) }
    static let address = PeerAddress(
        hostKey: "boot 7 host", hostName: "hôte", ipc: "ipc:///tmp/a", tcp: "tcp://10.0.0.1:4000")
    static let board = MemoryPlace(
        process: 77, descriptor: 9, device: 1, inode: .max, byteCount: 4096)
    static let placed = PeerAddress(
        hostKey: "boot 7 host", hostName: "h", ipc: "", tcp: "", board: board)
    static let reports = [
        ShardReport(
            shard: 2, smoothed: 12.5, negativeLogLikelihood: 11.25, labels: 31, activity: [1.5, 64]),
        ShardReport(shard: 3, smoothed: .infinity, negativeLogLikelihood: -0.0, labels: 0),
    ]
    static let slice = StateSlice(
        step: 9, adamCount: 8, section: .secondMoment, offset: 1 << 20, bytes: [0, 1, 2, 255])
    static let line = CommittedLine(
        generation: generation, step: 10, total: digest, state: digest, loss: 4.25, skipped: true)
    static func piece(_ content: StatePiece.Content) -> StatePiece {
        StatePiece(step: 10, adamCount: 9, offset: 65_536, content: content)
    }
    static let shards = [
        ShardWords(shard: 0, words: [1, -2, .max]), ShardWords(shard: 1, words: []),
    ]

    /// Drawn by processes; relays name them.
    static let instances: [UInt64] = [0, 0x0123_4567_89AB_CDEF, .max]

    static let ofWorker: [WorkerMessage] = [
        .hello(
            Hello(
                software: "dtrain 1", address: address, processID: 77, instance: .max, threads: 2,
                kernel: "Haswell", probe: digest)),
        .hello(
            Hello(
                software: "", address: address, key: key, processID: 0, instance: 0, threads: 0,
                kernel: "",
                probe: digest, run: 5, epoch: 6)),
        .hello(
            Hello(
                software: "", address: placed, processID: 0, instance: 0, threads: 0, kernel: "",
                probe: digest)),
        .prepared(Holdings()),
        .prepared(Holdings(state: HeldState(step: 4, digest: digest))),
        .prepared(
            Holdings(
                state: HeldState(step: 4, digest: digest),
                folded: FoldedStep(step: 5, total: digest, state: digest), lines: [line, line])),
        .stateReady(HeldState(step: 1 << 40, digest: digest), number: 3),
        .updated(Update(HeldState(step: 10, digest: digest))),
        .updated(
            Update(
                HeldState(step: 10, digest: digest), span: WorkerSpan(begin: 3, end: 4),
                times: OrderTimes(received: 2, sent: WireLimit.nanoseconds))),
        .captured(HeldState(step: 10, digest: digest)),
        .piece(piece(.state(Array(repeating: 7, count: 24)))),
        .piece(piece(.total([1, 2, 3, 4], squaredNorm: 2.5, learningRate: 1e-3))),
        .piece(piece(.nothing)),
        .pieceTaken(offset: 1 << 30),
        .formed(generation),
        .voted(
            Vote(
                generation: generation, step: 11, total: digest, state: digest, squaredNorm: -0.0,
                nonFiniteShards: [], reports: [], compute: WorkerSpan(begin: 0, end: 0),
                fold: WorkerSpan(begin: 0, end: 0))),
        .voted(
            Vote(
                generation: generation, step: 10, total: digest, state: digest, squaredNorm: 2.5,
                nonFiniteShards: [2], reports: reports,
                times: OrderTimes(received: 1, sent: 9), compute: WorkerSpan(begin: 2, end: 5),
                fold: WorkerSpan(begin: 4, end: 8), linkRate: 1e9, linkDelay: 1e-3,
                layerNorms: [0.5, .infinity])),
        .evaluated(Evaluation(step: 10, batch: 2, reports: reports)),
        .heartbeat(
            Heartbeat(
                phase: .folding, step: 10, progress: .max, slice: 3, slices: 8, waitingFor: "w2")),
        .slice(slice),
        .sliceTaken(step: 9, position: 1 << 30),
        .ringBroken(generation, RingFault(.absent, .successor)),
        .ringBroken(generation, RingFault(.apart, detail: "no memory")),
        .ringBroken(generation, RingFault(.own, [.predecessor, .successor])),
        .leaving(reason: "it was asked to stop"),
        .tokenTaken,
    ]

    /// Worker messages that do not come back equal: not a number, and prose that is cut.
    static let oddOfWorker: [WorkerMessage] = [
        .leaving(reason: String(repeating: "é", count: WireLimit.text)),
        .evaluated(
            Evaluation(
                step: 1, batch: 0,
                reports: [
                    ShardReport(
                        shard: 0, smoothed: Double(bitPattern: 0x7FF8_0000_0000_1234),
                        negativeLogLikelihood: .nan, labels: 1)
                ])),
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
                names: ["w1", "w2", "w5"], successor: address, predecessorIsRelayed: true,
                keys: RingKeys(predecessor: key, successor: key, encryptsAll: true),
                chunkBytes: 65_536)),
        .roster(
            Roster(
                generation: generation, committed: 9, rank: 1, bounds: [0, 2, 4],
                names: ["w1", "w2"], successor: address, boards: [board, board])),
        .roster(
            Roster(
                generation: generation, committed: 0, rank: 0, bounds: [0, 8], names: ["w1"],
                successor: nil)),
        .step(
            StepOrder(
                generation: generation, step: 10, learningRate: 1e-3, labels: 900, shards: shards)),
        .step(
            StepOrder(
                generation: generation, step: 10, learningRate: 1e-3, labels: 900, shards: [],
                measuresLayers: true)),
        .commit(Commit(line, durable: 7)),
        .givePiece(PieceRequest(.state, offset: 65_536, count: 65_536)),
        .givePiece(PieceRequest(.total(step: 10), offset: 0, count: 1)),
        .piece(piece(.state(Array(repeating: 7, count: 24)))),
        .piece(piece(.total([1, 2, 3, 4], squaredNorm: 2.5, learningRate: 1e-3))),
        .piece(piece(.nothing)),
        .passStep(10),
        .newState(number: .max),
        .proven(step: 10),
        .evaluate(EvaluationOrder(step: 10, batch: 0, shards: shards)),
        .heartbeat,
        .sayHello,
        .token("dtrain1-abc"),
        .finish(reason: "the run is finished"),
    ]

    static let ofAdmission: [AdmissionMessage] = [
        .register(key: key), .registered, .readToken, .tokenRead(workers: 3),
    ]

    static let ofStatus: [StatusMessage] = [.query, .answer(Array("{}".utf8))]

    static let attempt = LinkAttempt(number: 7, endpoint: "tcp://10.0.0.1:4000", port: 4001)
    static let report = LinkReport(seconds: 0.25, rate: 1e9, code: 0, rateCode: 111)

    static let ofDoctor: [DoctorMessage] = [
        .aboutRun, .run(Array("{}".utf8)), .sample(wanted: 1 << 20, payload: [1, 2]),
        .sampled(time: .max, payload: [3]), .listen(number: 7, worker: "w1"),
        .listening(number: 7, endpoint: "tcp://10.0.0.1:4000", port: 65_535),
        .attempt(attempt, worker: "w2"), .attempted(number: 7, report), .noWorker(number: 7),
    ]

    static let ofLinks: [LinkMessage] = [
        .listen(number: .max), .listening(number: 7, port: 0), .attempt(attempt),
        .attempted(number: 7, report),
    ]
}
