import Messaging
import Processes
import Wire

/// What `doctor` has found out about one thing.
package enum Finding: Sendable {
    case name(host: String, [IPAddress])
    case nameUnknown(host: String, reason: String)
    case route(to: IPAddress, source: IPAddress, interface: String)
    case noRoute(to: IPAddress)
    case port(IPAddress, port: Int, seconds: Double)
    /// `code`: an errno.
    case portClosed(IPAddress, port: Int, code: Int32)
    case handshake(encrypted: Bool)
    case handshakeFailed(CoordinatorCall.Failure)
    case version(String)
    case otherVersion(theirs: String, ours: String)
    /// Seconds by which the coordinator's clock is ahead, give or take.
    case clock(ahead: Double, uncertainty: Double)
    /// Seconds there and back: the median and the longest.
    case roundTrip(median: Double, longest: Double)
    /// Bytes a second, from the second measurement of each direction on.
    case bandwidth(there: Double, back: Double)
    case link(Link)
    /// Its links go through the coordinator, as it was started.
    case relayed(Link.End)
    /// Nobody but this host and the coordinator's.
    case noWorkers
    /// This host could not listen as a worker would.
    case cannotListen(any Error)
    /// Descriptors of a process at most.
    case files(limit: Int)
    /// Bytes; nil where the parameters are not known.
    case memory(available: Int, needed: Int?)
    case processor(missing: String?, cores: Int)
    case arithmetic(kernel: String)
    case otherArithmetic(worker: String, kernel: String, ours: String)

    /// A way from one worker to another, or between a worker and this host.
    package struct Link: Sendable {
        /// A worker; nil is this host.
        package struct End: Hashable, Sendable {
            package let name: String
            package let host: String
            package let hostKey: String
        }

        package let from: End
        package let to: End
        package let endpoint: String
        package let report: LinkReport
        /// Far slower than the others, or than any is fit for.
        package internal(set) var isSlow = false
        /// Seconds that a step's sums take over it; nil where the rate is not known.
        package let foldSeconds: Double?

        package var isWithinHost: Bool { from.hostKey == to.hostKey }
    }

    /// There is no coordinator to be found.
    package var isAbsence: Bool {
        switch self {
        case .nameUnknown, .noRoute, .portClosed: true
        case .handshakeFailed(let failure): failure.isAbsence
        default: false
        }
    }

    package enum Level: String, Sendable { case ok, slow, bad }

    /// `bad`: a run would not work with it.
    package var level: Level {
        switch self {
        case .nameUnknown, .noRoute, .portClosed, .handshakeFailed, .otherVersion, .cannotListen,
            .otherArithmetic:
            .bad
        case .link(let link): link.report.code != 0 ? .bad : link.isSlow ? .slow : .ok
        case .files(let limit): limit < Self.filesNeeded ? .bad : .ok
        case .memory(let available, let needed): needed.map { $0 > available } ?? false ? .bad : .ok
        case .processor(let missing, _): missing == nil ? .ok : .bad
        case .clock(let ahead, let uncertainty):
            abs(ahead) > Self.clockTolerance + uncertainty ? .slow : .ok
        case .bandwidth(let there, let back):
            min(there, back) < Self.slowRate ? .slow : .ok
        default: .ok
        }
    }

    /// Sockets, their monitors, shared memory, files.
    package static let filesNeeded = 128
    /// Seconds; clocks reach no number, only the times in logs.
    package static let clockTolerance = 2.0
    /// Bytes a second, 20 Mbit/s.
    package static let slowRate = 2.5e6
}

extension [Finding.Link] {
    /// Marks the links that carry less than a quarter of the median, and not 1 Gbit/s either, or
    /// hardly anything at all.
    package mutating func judge() {
        let rates = map(\.report.rate).filter { $0 > 0 }.sorted()
        guard !rates.isEmpty else { return }
        let median = rates[rates.count / 2]
        for index in indices where self[index].report.rate > 0 {
            let rate = self[index].report.rate
            self[index].isSlow = rate < Swift.max(Finding.slowRate, Swift.min(median / 4, 125e6))
        }
    }

    /// The host that all broken links have at one end, or else all slow ones, where there are
    /// several.
    package var commonHost: String? {
        let broken = filter { $0.report.code != 0 }
        let bad = broken.isEmpty ? filter(\.isSlow) : broken
        guard bad.count > 1 else { return nil }
        let shared = bad.map { Set([$0.from.host, $0.to.host]) }.reduce(
            Set(bad.flatMap { [$0.from.host, $0.to.host] })
        ) { $0.intersection($1) }
        return shared.count == 1 ? shared.first : nil
    }
}
