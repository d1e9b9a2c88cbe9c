import Coordination
import Messaging
import Parameters
import Ring
import Settings
import Wire

/// How a worker's ring is set up; alike on all workers of a run, but for the host.
package struct RingConfiguration: Sendable {
    /// Addresses at which the tcp side listens, at one port.
    package var addresses = [IPAddress.loopback]
    /// Ports to take the first free one of, and others for streams; nil for any.
    package var ports: ClosedRange<Int>?
    /// Bytes of numbers in a frame; a ring may have smaller ones.
    package var chunkBytes = WireLimit.chunkBytes
    /// Frames of each kind, partials and totals, under way on a link.
    package var credits = ChunkSize.credits
    /// How long forming a generation may take before it counts as broken.
    package var formationTimeout: Duration = .seconds(10)
    /// Pings between neighbours, which notice a stopped process or a cut link.
    package var heartbeat: SocketOptions.Heartbeat?
    /// Kernel buffer of an ipc link in bytes: four chunks. tcp links are left to the kernel, which
    /// tunes them.
    package var bufferBytes = 1 << 20
    /// Whether the numbers of ipc and tcp links may go over connections of their own beside ZeroMQ's,
    /// encrypted where those are.
    package var streams = true
    /// How long such a connection may take to come about before numbers go over ZeroMQ's; at most half
    /// of what is left for forming.
    package var streamTimeout: Duration = .seconds(1)

    /// How neighbours of other hosts know each other; nil for plain text.
    package var security: RingSecurity?

    package init() {}
}

/// What a worker shows its neighbours, and who asks for theirs.
package struct RingSecurity: Sendable {
    package var keys: KeyPair
    package var gate: Gate

    package init(keys: KeyPair, gate: Gate) {
        self.keys = keys
        self.gate = gate
    }
}

extension PeerAddress {
    /// Addresses of a ring on `host`; `ipc` for processes of the same host and user.
    package init(host: HostIdentity, ipc: String?, tcp: String, board: MemoryPlace? = nil) {
        self.init(
            hostKey: host.key, hostName: host.name, ipc: ipc ?? "", tcp: tcp, board: board)
    }

    package var host: HostIdentity { HostIdentity(key: hostKey) }

    /// The port of `tcp`.
    package var port: Int { Address(tcp)!.port }

    /// The endpoint for a neighbour on `host`, nil if there is none of that transport.
    package func endpoint(_ transport: Transport, from host: HostIdentity) -> String? {
        let within = host == self.host && !ipc.isEmpty ? ipc : nil
        return switch transport {
        case .auto: within ?? tcp
        case .shared, .ipc: within
        case .tcp: tcp
        }
    }
}

/// One worker's place in a generation.
package struct RingMembership: Sendable, Equatable {
    package var run: UInt64
    package var generation: Generation
    package var rank: Int
    /// Worker w owns the shards `shardBounds[w]..<shardBounds[w + 1]`.
    package var shardBounds: [Int]
    /// Nil for the only worker.
    package var successor: PeerAddress?
    package var transport: Transport
    package var collective: Collective
    /// What sums are rounded to between shards, and the seed of the rounding.
    package var wire: WireFormat
    package var seed: UInt64
    /// The predecessor's frames come through the coordinator.
    package var predecessorIsRelayed: Bool
    /// How long forming may take, and a link be silent; nil leaves both to the configuration.
    package var patience: Duration?
    /// The neighbours' keys; nil where all is plain text.
    package var keys: RingKeys?
    /// Bytes of numbers in a frame; nil leaves them to the configuration.
    package var chunkBytes: Int?
    /// Where each member says what its gradients lie in, by rank, if sums are made of them in place;
    /// empty if sums travel.
    package var boards: [MemoryPlace]

    package init(
        run: UInt64, generation: Generation, rank: Int, shardBounds: [Int],
        successor: PeerAddress?, transport: Transport = .auto,
        collective: Collective = .fold, wire: WireFormat = .f32, seed: UInt64 = 0,
        predecessorIsRelayed: Bool = false, patience: Duration? = nil, keys: RingKeys? = nil,
        chunkBytes: Int? = nil, boards: [MemoryPlace] = []
    ) {
        self.chunkBytes = chunkBytes
        self.boards = boards
        self.predecessorIsRelayed = predecessorIsRelayed
        self.keys = keys
        self.run = run
        self.generation = generation
        self.rank = rank
        self.shardBounds = shardBounds
        self.successor = successor
        self.transport = transport
        self.collective = collective
        self.wire = wire
        self.seed = seed
        self.patience = patience
    }

    /// Pings between neighbours, which notice a host that is cut off, in either direction.
    var heartbeat: SocketOptions.Heartbeat? {
        patience.map {
            SocketOptions.Heartbeat(interval: $0 / 8, timeout: $0, timeToLive: $0)
        }
    }

    var workers: Int { shardBounds.count - 1 }
    /// Whether sums are made of the members' gradients where they lie.
    var sumsInPlace: Bool { collective == .fold && !boards.isEmpty && workers > 1 }
    var predecessorRank: Int { (rank + workers - 1) % workers }
    var successorRank: Int { (rank + 1) % workers }
}

/// What carries sums better than ZeroMQ's own connection, where it can be opened.
package enum RingWay: Sendable, Hashable {
    /// Memory that the successor maps. Without it sums go over ipc: by a stream, or by ZeroMQ.
    case memory
    /// A stream of the ring's own, over ipc or tcp. Without it sums go over ZeroMQ's connection.
    case stream
}

/// What the ring thread reports.
package enum RingEvent: Sendable {
    /// Both neighbours are in this generation.
    case formed(Generation)
    case folded(step: UInt64, digest: FastDigest, timings: RingTimings)
    /// This way to the successor could not be opened, so that sums go by the next best. Reported
    /// before the generation is formed.
    case fellBack(from: RingWay, reason: String)
    /// Somebody who is no neighbour has knocked.
    case turnedAway(host: String, HandshakeFailure)
    /// Nothing more will come of this generation. Reported once a generation.
    case broken(Generation, RingBreak)
}

/// Why a generation broke.
package enum RingBreak: Error, Equatable, Sendable {
    /// The connection to or from this neighbour ended.
    case lost(Neighbour)
    /// These neighbours did not come in time.
    case formation(missing: [Neighbour])
    /// The successor does not let this worker in, or is not who it should be.
    case refused(Neighbour, HandshakeFailure?)
    /// A neighbour has other shards, chunks or credits in mind.
    case disagreement(Neighbour)
    /// A neighbour sent what no sound one sends.
    case violation(Neighbour, Violation)
    /// The successor has no endpoint of the transport asked for.
    case unreachable(Transport)
    /// A gradient that is to be read where it lies can't be, or this worker's own can't be shown.
    case apart(reason: String)
    /// What this neighbour shares is not what it was said to be.
    case memory(Neighbour, MessagingError)
    case socket(MessagingError)
    case plan(RingPlanError)
}

extension RingConfiguration {
    /// Elements of a chunk in this ring.
    func chunkElements(_ membership: RingMembership) -> Int {
        max(1, min(chunkBytes, membership.chunkBytes ?? chunkBytes) / 4)
    }
}

extension RingBreak {
    /// What the coordinator is told.
    package var fault: RingFault {
        switch self {
        case .lost(let neighbour): RingFault(.lost, neighbour.side)
        case .formation(let missing):
            RingFault(.absent, missing.reduce(into: []) { $0.formUnion($1.side) })
        case .refused(let neighbour, let failure):
            RingFault(.refused, neighbour.side, detail: failure.map { "\($0)" } ?? "")
        case .disagreement(let neighbour): RingFault(.disagreement, neighbour.side)
        case .violation(let neighbour, .altered):
            RingFault(.violation, neighbour.side, detail: "it was altered on its way")
        case .violation(let neighbour, let violation):
            RingFault(.violation, neighbour.side, detail: "\(violation)")
        case .memory(let neighbour, let error):
            RingFault(.violation, neighbour.side, detail: plainWords(error))
        case .apart(let reason): RingFault(.apart, detail: reason)
        case .unreachable(let transport):
            RingFault(.own, .successor, detail: "no endpoint of transport \(transport)")
        case .socket(let error): RingFault(.own, detail: plainWords(error))
        case .plan(let error): RingFault(.own, detail: plainWords(error))
        }
    }
}

extension Neighbour {
    fileprivate var side: RingSides { self == .predecessor ? .predecessor : .successor }
}

/// Where the time of a step's fold went.
package struct RingTimings: Sendable, Equatable {
    /// From the moment when own gradients were complete to the end of the fold.
    package var waitSeconds: Double
    /// From the first chunk that moved to the end of the fold.
    package var foldSeconds: Double
    /// Processor time of the ring thread; libzmq's own threads come on top.
    package var processorSeconds: Double
    /// What checksums of what travels took of it; the digest of the total is not counted.
    package var checksumSeconds: Double
    /// What the link to the successor has carried while it had something to carry; nil if that is
    /// not known anew.
    package var link: LinkMeter.Reading?
}

/// What the ring thread is about, for people and for status messages.
package struct RingProgress: Sendable, Equatable {
    package enum State: String, Sendable, Codable {
        case idle, forming, formed, folding, broken
    }

    package var state = State.idle
    package var generation: Generation?
    /// What sums go to the successor over, once the generation is formed; nil for one worker.
    package var lane: Transport?
    /// Whether frames go to the successor over a stream of the ring's own, and whether what goes over
    /// tcp is encrypted; once the generation is formed.
    package var streams = false
    package var isSealed = false
    package var step: UInt64 = 0
    package var chunks = 0
    /// Chunks of the step whose total is known.
    package var chunksKnown = 0
    package var waitsFor = FoldWait.nothing
    /// Frames and bytes with headers, since the thread began, over the link to the successor
    /// (sent) and the one from the predecessor (received). Credits go the other way.
    package var framesSent = 0
    package var framesReceived = 0
    package var bytesSent = 0
    package var bytesReceived = 0
    /// Those of `bytesSent` that left by a network.
    package var bytesSentOverTCP = 0
    package var creditsSent = 0
    package var creditsReceived = 0
    /// Frames that were not taken, by `DropReason.rawValue`.
    package var drops: [String: Int] = [:]

    /// Grows with everything that moves.
    package var count: UInt64 {
        UInt64(framesSent + framesReceived + creditsSent + creditsReceived) &+ step
    }
}
