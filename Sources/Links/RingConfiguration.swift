import Coordination
import Messaging
import Parameters
import Ring
import Settings
import Wire

/// The settings of a worker's ring; alike on all workers of a run, but for the host.
package struct RingConfiguration: Sendable {
    /// Addresses at which the tcp side listens, at one port.
    package var addresses = [IPAddress.loopback]
    /// Ports to take the first free one of, and others for streams; nil for any.
    package var ports: ClosedRange<Int>?
    /// Bytes of numbers in a frame; a ring may have smaller ones.
    package var chunkBytes = WireLimit.chunkBytes
    /// Frames of each kind, partials and totals, under way on a link.
    package var credits = ChunkSize.credits
    /// Time that forming a generation may take before it counts as broken.
    package var formationTimeout: Duration = .seconds(10)
    /// Pings between neighbours, which notice a stopped process or a cut link.
    package var heartbeat: SocketOptions.Heartbeat?
    /// Kernel buffer of an ipc link in bytes: four chunks. tcp links are left to the kernel, which
    /// tunes them.
    package var bufferBytes = 1 << 20
    /// Whether the numbers of ipc and tcp links may go over connections of their own beside
    /// ZeroMQ's. They are encrypted where those are.
    package var streams = true
    /// Time in which such a connection must come about, or numbers go over ZeroMQ's; at most half
    /// of what is left for forming.
    package var streamTimeout: Duration = .seconds(1)

    /// The keys by which neighbours of other hosts know each other; nil for plain text.
    package var security: RingSecurity?

    /// Makes the settings that stand above: loopback, plain text, any port.
    package init() {}
}

/// The keys that a worker shows its neighbours, and the gate that checks theirs.
package struct RingSecurity: Sendable {
    /// This worker's key pair.
    package var keys: KeyPair
    /// The gate at which its listening socket asks.
    package var gate: Gate

    /// Makes a security of its parts.
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

    /// The peer's host, out of `hostKey`.
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
    /// The run's number, which every frame bears.
    package var run: UInt64
    /// The ring that is to be formed.
    package var generation: Generation
    /// This worker's place in the ring, from 0.
    package var rank: Int
    /// Worker w owns the shards `shardBounds[w]..<shardBounds[w + 1]`.
    package var shardBounds: [Int]
    /// Nil for the only worker.
    package var successor: PeerAddress?
    /// The transport asked for; `auto` is the best that there is.
    package var transport: Transport
    /// The way in which gradients become a total.
    package var collective: Collective
    /// The format that sums are rounded to between shards, and in which they travel.
    package var wire: WireFormat
    /// The seed of stochastic rounding, alike on all workers.
    package var seed: UInt64
    /// The predecessor's frames come through the coordinator.
    package var predecessorIsRelayed: Bool
    /// Time that forming may take, and a link be silent; nil leaves both to the configuration.
    package var patience: Duration?
    /// The neighbours' keys; nil where all is plain text.
    package var keys: RingKeys?
    /// Bytes of numbers in a frame; nil leaves them to the configuration.
    package var chunkBytes: Int?
    /// The memory in which each member says where its gradients lie, by rank, if sums are made in
    /// place; empty if sums travel.
    package var boards: [MemoryPlace]

    /// Makes a membership of its parts; `shardBounds` has an entry more than there are workers.
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

/// A way in which sums go better than over ZeroMQ's own connection, where it can be opened.
package enum RingWay: Sendable, Hashable {
    /// Memory that the successor maps. Without it sums go over ipc: by a stream, or by ZeroMQ.
    case memory
    /// A stream of the ring's own, over ipc or tcp. Without it sums go over ZeroMQ's connection.
    case stream
}

/// News from the ring thread.
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

/// The reason that a generation broke.
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
    /// This neighbour's memory is not what it was said to be.
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
    /// What has ended a fold.
    init(_ fault: FoldFault) {
        self =
            switch fault {
            case .violation(let neighbour, let violation): .violation(neighbour, violation)
            case .apart(let reason): .apart(reason: reason)
            }
    }

    /// The fault as the coordinator is told of it: its kind, and the neighbours that it concerns.
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

/// The times of a step's fold, in seconds.
package struct RingTimings: Sendable, Equatable {
    /// Seconds from the moment when own gradients were complete to the end of the fold.
    package var waitSeconds: Double
    /// The moment when the first chunk moved; the end of the fold if none did.
    package var begun: ContinuousClock.Instant
    /// The end of the fold.
    package var ended: ContinuousClock.Instant
    /// Processor time of the ring thread; libzmq's own threads come on top.
    package var processorSeconds: Double
    /// Seconds of it that went into checksums of frames; the digest of the total is not counted.
    package var checksumSeconds: Double
    /// The rate of the link to the successor while it had something to carry; nil if that is not
    /// known anew.
    package var link: LinkMeter.Reading?

    /// From the first chunk that moved to the end of the fold.
    package var foldSeconds: Double { begun.duration(to: ended).seconds }
}

/// The state of the ring thread, for people and for status messages.
package struct RingProgress: Sendable, Equatable {
    /// The stages of a generation.
    package enum State: String, Sendable, Codable {
        case idle, forming, formed, folding, broken
    }

    /// The stage of the generation at hand.
    package var state = State.idle
    /// The generation at hand; nil before the first.
    package var generation: Generation?
    /// The transport that sums take to the successor, once the generation is formed; nil for one
    /// worker.
    package var lane: Transport?
    /// Whether frames go to the successor over a stream of the ring's own, once the generation is
    /// formed.
    package var streams = false
    /// Whether what goes to the successor over tcp is encrypted, once the generation is formed.
    package var isSealed = false
    /// The last step whose fold has begun.
    package var step: UInt64 = 0
    /// Number of chunks of that step.
    package var chunks = 0
    /// Chunks of the step whose total is known.
    package var chunksKnown = 0
    /// The reason that the fold does not go on: a neighbour, or own lanes; `nothing` if it can.
    package var waitsFor = FoldWait.nothing
    /// Frames and bytes with headers, since the thread began, over the link to the successor
    /// (sent) and the one from the predecessor (received). Credits go the other way.
    package var framesSent = 0
    /// Frames with sums that have come from the predecessor.
    package var framesReceived = 0
    /// Bytes of frames that have gone to the successor, headers included.
    package var bytesSent = 0
    /// Bytes of frames that have come from the predecessor, headers included.
    package var bytesReceived = 0
    /// Those of `bytesSent` that left by a network.
    package var bytesSentOverTCP = 0
    /// Credits given to the predecessor.
    package var creditsSent = 0
    /// Credits that have come from the successor.
    package var creditsReceived = 0
    /// Frames that were not taken, by `DropReason.rawValue`.
    package var drops: [String: Int] = [:]

    /// Grows with everything that moves.
    package var count: UInt64 {
        UInt64(framesSent + framesReceived + creditsSent + creditsReceived) &+ step
    }
}
