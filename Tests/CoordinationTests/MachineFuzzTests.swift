import Coordination
import FuzzKit
import Parameters
import Testing
import Wire

/// Whatever sound messages come in whatever order, the machines go on: a peer that has lost its mind
/// ends nobody.
@Suite struct MachineFuzzTests {
    private static let extremes = [0, 1, 2, 3, 4, 1 << 20, WireLimit.steps]

    private static func step(_ fuzzer: inout Fuzzer) -> Int {
        fuzzer.chance(90) ? fuzzer.number(0...4) : extremes[fuzzer.number(0...6)]
    }

    private static func generation(_ fuzzer: inout Fuzzer) -> Generation {
        Generation(
            epoch: UInt32(fuzzer.number(0...2)),
            counter: fuzzer.chance(95) ? UInt32(fuzzer.number(0...4)) : .max)
    }

    private static func digest(_ fuzzer: inout Fuzzer) -> FastDigest {
        FastDigest(high: UInt64(fuzzer.number(4...6)), low: 0)
    }

    private static func held(_ fuzzer: inout Fuzzer) -> HeldState {
        HeldState(step: step(&fuzzer), digest: digest(&fuzzer))
    }

    private static func line(_ fuzzer: inout Fuzzer) -> CommittedLine {
        CommittedLine(
            generation: generation(&fuzzer), step: step(&fuzzer), total: digest(&fuzzer),
            state: digest(&fuzzer), loss: fuzzer.chance(10) ? .nan : 1,
            skipped: fuzzer.chance(10))
    }

    private static func reports(_ fuzzer: inout Fuzzer) -> [ShardReport] {
        let first = fuzzer.number(0...3)
        return (0..<fuzzer.number(0...4)).map {
            ShardReport(
                shard: fuzzer.chance(95) ? first + $0 : 65_535,
                smoothed: fuzzer.chance(5) ? .nan : 1, negativeLogLikelihood: 1,
                labels: fuzzer.chance(95) ? 1 : WireLimit.shardWords,
                activity: fuzzer.chance(10) ? [1, 2, 3] : [])
        }
    }

    private static func piece(_ fuzzer: inout Fuzzer) -> StatePiece {
        let contents: [StatePiece.Content] = [
            .state(Array(repeating: 0, count: 12 * fuzzer.number(0...3))), .nothing,
            .total(
                Array(repeating: 0, count: 4 * fuzzer.number(0...3)), squaredNorm: .infinity,
                learningRate: 1),
        ]
        return StatePiece(
            step: step(&fuzzer), adamCount: step(&fuzzer),
            offset: fuzzer.chance(90) ? fuzzer.number(0...2) : WireLimit.elements,
            content: contents[fuzzer.number(0...2)])
    }

    private static func slice(_ fuzzer: inout Fuzzer) -> StateSlice {
        StateSlice(
            step: step(&fuzzer), adamCount: step(&fuzzer),
            section: StateSection.allCases[fuzzer.number(0...2)],
            offset: fuzzer.chance(90) ? fuzzer.number(0...2) : WireLimit.elements,
            bytes: Array(repeating: 0, count: 4 * fuzzer.number(0...3)))
    }

    /// From the first moment that travels to the last.
    private static func moment(_ fuzzer: inout Fuzzer) -> Int64 {
        fuzzer.chance(80) ? Int64(fuzzer.number(0...1_000_000_000)) : WireLimit.nanoseconds
    }

    private static func span(_ fuzzer: inout Fuzzer) -> WorkerSpan {
        WorkerSpan(begin: moment(&fuzzer), end: moment(&fuzzer))
    }

    private static func times(_ fuzzer: inout Fuzzer) -> OrderTimes {
        OrderTimes(received: moment(&fuzzer), sent: moment(&fuzzer))
    }

    private static func ofWorker(_ fuzzer: inout Fuzzer) -> WorkerMessage {
        switch fuzzer.number(0...16) {
        case 0, 1:
            let address = PeerAddress(hostKey: "h", hostName: "h", ipc: "", tcp: "")
            return .hello(
                Hello(
                    software: "dtrain", address: address,
                    key: fuzzer.chance(50) ? Array(repeating: 1, count: 32) : [], processID: 1,
                    instance: UInt64(fuzzer.number(1...5)), threads: 1, kernel: "k",
                    probe: digest(&fuzzer), run: fuzzer.chance(50) ? 1 : nil,
                    epoch: UInt32(fuzzer.number(0...2))))
        case 2, 3:
            return .prepared(
                Holdings(
                    state: fuzzer.chance(70) ? held(&fuzzer) : nil,
                    folded: fuzzer.chance(30)
                        ? FoldedStep(
                            step: step(&fuzzer), total: digest(&fuzzer), state: digest(&fuzzer))
                        : nil,
                    lines: (0..<fuzzer.number(0...3)).map { _ in line(&fuzzer) }))
        case 4: return .stateReady(held(&fuzzer), number: UInt32(fuzzer.number(0...3)))
        case 5: return .updated(Update(held(&fuzzer), span: span(&fuzzer), times: times(&fuzzer)))
        case 6: return .formed(generation(&fuzzer))
        case 7, 8:
            return .voted(
                Vote(
                    generation: generation(&fuzzer), step: step(&fuzzer), total: digest(&fuzzer),
                    state: digest(&fuzzer), squaredNorm: fuzzer.chance(10) ? .nan : 1,
                    nonFiniteShards: fuzzer.chance(10) ? [0, .max] : [],
                    reports: reports(&fuzzer), times: times(&fuzzer), compute: span(&fuzzer),
                    fold: span(&fuzzer),
                    layerNorms: fuzzer.chance(10) ? [1, 2] : []))
        case 9:
            return .evaluated(
                Evaluation(step: step(&fuzzer), batch: step(&fuzzer), reports: reports(&fuzzer)))
        case 10:
            return .heartbeat(
                Heartbeat(
                    phase: WorkerPhase.allCases[fuzzer.number(0...WorkerPhase.allCases.count - 1)],
                    step: step(&fuzzer), progress: fuzzer.chance(50) ? .max : 0, slice: 9,
                    waitingFor: ""))
        case 11: return .captured(held(&fuzzer))
        case 12: return .slice(slice(&fuzzer))
        case 13: return .piece(piece(&fuzzer))
        case 14: return .pieceTaken(offset: fuzzer.number(0...3))
        case 15: return .ringBroken(generation(&fuzzer), RingFault(.lost, .successor))
        default:
            return [.tokenTaken, .leaving(reason: ""), .sliceTaken(step: 1, position: 1)][
                fuzzer.number(0...2)]
        }
    }

    private static func ofCoordinator(_ fuzzer: inout Fuzzer) -> CoordinatorMessage {
        let shards = (0..<fuzzer.number(0...3)).map { ShardWords(shard: $0, words: []) }
        switch fuzzer.number(0...14) {
        case 0, 1:
            return .welcome(
                Welcome(
                    run: UInt64(fuzzer.number(1...2)), epoch: UInt32(fuzzer.number(0...2)),
                    name: "w1", peerTimeoutMilliseconds: 1000, configuration: []))
        case 2: return .newState(number: UInt32(fuzzer.number(0...3)))
        case 3: return .proven(step: step(&fuzzer))
        case 4: return .initialise
        case 5: return .slice(slice(&fuzzer))
        case 6: return .snapshot(step: step(&fuzzer))
        case 7: return .givePiece(PieceRequest(.state, offset: 0, count: 1))
        case 8: return .piece(piece(&fuzzer))
        case 9: return .passStep(step(&fuzzer))
        case 10:
            let rank = fuzzer.number(0...1)
            return .roster(
                Roster(
                    generation: generation(&fuzzer), committed: step(&fuzzer), rank: rank,
                    bounds: [0, 1, 2], names: ["w1", "w2"],
                    successor: PeerAddress(hostKey: "", hostName: "", ipc: "", tcp: "")))
        case 11:
            return .step(
                StepOrder(
                    generation: generation(&fuzzer), step: step(&fuzzer), learningRate: .nan,
                    labels: 0, shards: shards))
        case 12: return .commit(Commit(line(&fuzzer), durable: step(&fuzzer)))
        case 13:
            return .evaluate(
                EvaluationOrder(step: step(&fuzzer), batch: step(&fuzzer), shards: shards))
        default:
            return [
                .heartbeat, .sayHello, .token(""), .abandonSnapshot(step: 1),
                .sliceTaken(step: 0, position: 0),
            ][fuzzer.number(0...4)]
        }
    }

    @Test("a coordinator among workers that have lost their minds")
    func coordinator() {
        var fuzzer = Fuzzer("a coordinator's events")
        var reactions = 0
        for _ in 0..<max(1, Fuzzer.rounds / 200) {
            let policy = CoordinatorScenario.policy {
                $0.checkpoints.every = fuzzer.number(0...2)
                $0.validation.every = fuzzer.number(0...2)
                $0.run.epoch = 2
            }
            var machine = Coordinator(
                policy: policy, parameterCount: 2,
                resumedFrom: fuzzer.chance(30) ? fuzzer.number(0...2) : nil)
            if fuzzer.chance(50) {
                // A ring under way.
                var scene = CoordinatorScenario()
                scene.startTwo()
                machine = scene.coordinator
            }
            var now = Instant(nanoseconds: 0)
            for _ in 0..<200 {
                now = now + Milliseconds(Int64(fuzzer.number(0...300)))
                let peer = PeerID(UInt64(fuzzer.number(1...4)))
                let event: CoordinatorEvent
                switch fuzzer.number(0...19) {
                case 0: event = .disconnected(peer)
                case 1: event = .checkpointWritten(step: Self.step(&fuzzer))
                case 2: event = .checkpointFailed(step: Self.step(&fuzzer))
                case 3: event = .sliceWritten(step: Self.step(&fuzzer), position: 2)
                case 4, 5: event = .tick
                case 6: event = .tokenChanged("t")
                default:
                    // As it comes over the wire.
                    let bytes = Self.ofWorker(&fuzzer).encoded
                    do throws(WireError) {
                        event = .received(peer, try WorkerMessage(decoding: bytes))
                    } catch {
                        event = .nonsense(peer, error)
                    }
                }
                reactions += machine.receive(event, at: now).count
            }
            _ = machine.status(at: now)
        }
        #expect(reactions > Fuzzer.rounds / 2)
    }

    @Test("a worker under a coordinator that has lost its mind")
    func worker() {
        var fuzzer = Fuzzer("a worker's events")
        var reactions = 0
        for _ in 0..<max(1, Fuzzer.rounds / 100) {
            var session = WorkerSession(deadlines: Deadlines(peerTimeout: Milliseconds(1_000)))
            var now = Instant(nanoseconds: 0)
            for _ in 0..<100 {
                now = now + Milliseconds(Int64(fuzzer.number(0...300)))
                let event: WorkerEvent
                switch fuzzer.number(0...19) {
                case 0: event = .disconnected
                case 1, 2: event = .built
                case 3: event = .initialised(Self.digest(&fuzzer))
                case 4: event = .stateStored(Self.held(&fuzzer))
                case 5: event = .reports(.formed(Self.generation(&fuzzer)))
                case 6:
                    let fault = RingFault(.lost, .successor)
                    event = .reports(.ringBroken(Self.generation(&fuzzer), fault))
                case 7: event = .reports(.updated(Update(Self.held(&fuzzer))))
                case 8: event = .tick(WorkProgress(count: 0))
                default:
                    let bytes = Self.ofCoordinator(&fuzzer).encoded
                    guard let message = try? CoordinatorMessage(decoding: bytes) else { continue }
                    event = .received(message)
                }
                reactions += session.receive(event, at: now).count
                _ = session.brief
            }
        }
        #expect(reactions > Fuzzer.rounds / 10)
    }
}
