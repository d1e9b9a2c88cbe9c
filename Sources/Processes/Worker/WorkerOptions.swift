import Coordination
import Foundation
import Links
import Messaging
import Model
import Parameters
import Settings
import Wire

/// How a worker process was started.
package struct WorkerOptions: Sendable {
    package var coordinator: Address
    package var threads: Int
    /// How long to look for a coordinator before giving up.
    package var wait: TimeSpan
    package var software: String
    package var network: NetworkChoices
    package var access: Access

    package init(
        coordinator: Address, access: Access, threads: Int, wait: TimeSpan, software: String,
        network: NetworkChoices = .init()
    ) {
        self.coordinator = coordinator
        self.access = access
        self.threads = threads
        self.wait = wait
        self.software = software
        self.network = network
    }
}

/// What a worker tells whoever started it.
package enum WorkerReport: Sendable {
    case note(WorkerNote)
    /// No coordinator has answered for so long, or there is not even a way to it.
    case stillWaiting(coordinator: Address, seconds: Int, Hindrance?)
    /// Where the workers of other hosts find this one.
    case listening(String)
    /// They don't: frames go through the coordinator.
    case relayed
    /// What gradients do not go by, and why; said once for each way.
    case fellBack(from: RingWay, reason: String)
    /// Somebody who is not a neighbour has tried to join the ring, as in `RunReport.turnedAway`.
    case turnedAway(host: String, HandshakeFailure, more: Int)
    /// What the ring has sent in all, and how much of it by a network.
    case moved(bytes: Int, overTCP: Int)
    case ended(WorkerOutcome)
    /// What SIGUSR1 asks for: the state machine in a line.
    case dump(String)
}

/// Why a worker process ends without a word from a coordinator.
package enum WorkerError: Error, Sendable {
    case coordinatorNeverCame(Address, seconds: Int)
    /// Another service listens there; the first words that it says.
    case foreignService(Address, says: String)
    /// The token is not the run's (any more).
    case tokenRefused(Address)
    /// Who listens does not know the token's coordinator: it is another run's, or no dtrain at all.
    case foreignToken(Address)
    /// The coordinator encrypts, and was not given a token.
    case tokenMissing(Address)
    /// The coordinator speaks plain text, and would not have proven who it is.
    case plainCoordinator(Address)
}

/// The part of a run that a worker needs, as the welcome carries it.
package struct WorkerJob: Codable, Sendable {
    package var architecture: Architecture
    package var configuration: RunConfiguration

    package init(architecture: Architecture, configuration: RunConfiguration) {
        self.architecture = architecture
        self.configuration = configuration
    }

    /// The same bytes for the same run, whichever coordinator sends them.
    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let lasting = WorkerJob(
            architecture: architecture, configuration: configuration.lasting)
        return Array(try encoder.encode(lasting))
    }
}

/// The parts of a vote, which come from the lanes and from the ring in any order.
struct PendingVote {
    let order: StepOrder
    let attempt: Int
    var reports: [ShardReport]?
    var compute: WorkerSpan?
    var state: FastDigest?
    var total: FastDigest?
    var fold: WorkerSpan?
    var link: LinkMeter.Reading?
    var squaredNorm: Double?
    var layerNorms: [Double] = []
    var nonFiniteShards: [UInt32] = []

    init(order: StepOrder, attempt: Int) {
        self.order = order
        self.attempt = attempt
    }

    /// The vote, once all its parts are there.
    var vote: Vote? {
        guard let reports, let compute, let state, let total, let fold, let squaredNorm else {
            return nil
        }
        return Vote(
            generation: order.generation, step: order.step, total: total, state: state,
            squaredNorm: squaredNorm, nonFiniteShards: nonFiniteShards, reports: reports,
            compute: compute, fold: fold, linkRate: link?.rate ?? 0,
            linkDelay: link?.delay ?? 0, layerNorms: layerNorms)
    }
}
