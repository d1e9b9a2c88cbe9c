import Messaging

/// Where the workers of other hosts find a worker's ring.
package struct NetworkChoices: Sendable, Equatable {
    /// Workers of other hosts may connect at all.
    package var isOpen = false
    /// The host that others are told, in place of this host's address on the way to the coordinator.
    package var advertise: String?
    /// Ports to take the first free one of; nil for any.
    package var ringPorts: ClosedRange<Int>?
    /// The interface to listen at, and to be found by unless `advertise` says otherwise.
    package var interface: String?
    /// Nobody can connect here: ring frames go through the coordinator.
    package var relay = false

    package init() {}

    /// Why they cannot be followed here.
    package enum Failure: Error, Equatable, Sendable {
        /// There is no such interface, or it is down or has no address.
        case noAddress(interface: String, present: [String])
        case portsInUse(ClosedRange<Int>)
    }

    /// Stands for whatever address the coordinator's host is reached at: the worker runs there.
    static let coordinatorsHost = "*"

    /// The addresses at which the ring listens.
    package func listening() throws(Failure) -> [IPAddress] {
        if relay { return [.loopback] }
        if let interface {
            let own = Route.addresses(ofInterface: interface).filter { !$0.isLinkLocal }
            guard !own.isEmpty else {
                throw .noAddress(interface: interface, present: Route.interfaces)
            }
            return own
        }
        return isOpen ? [.anyV6] : [.loopback]
    }

    /// The host to tell others, when `source` is this host's address on the way to the coordinator.
    package func advertised(_ source: IPAddress, listening: [IPAddress]) -> String {
        if let advertise { return IPAddress(advertise)?.inEndpoint ?? advertise }
        if let first = listening.first, !first.isWildcard {
            return (listening.first { $0.family == source.family } ?? first).inEndpoint
        }
        return source.isLoopback ? Self.coordinatorsHost : source.inEndpoint
    }

    /// A worker's endpoint as one finds it who reaches the coordinator's host at `host`.
    package static func endpoint(_ endpoint: String, from host: IPAddress) -> String {
        let prefix = "tcp://\(coordinatorsHost):"
        guard endpoint.hasPrefix(prefix) else { return endpoint }
        return "tcp://\(host.inEndpoint):\(endpoint.dropFirst(prefix.count))"
    }
}

extension NetworkChoices {
    /// The same as flags of `worker`.
    var arguments: [String] {
        var words: [String] = []
        if let advertise { words += ["--advertise", advertise] }
        if let interface { words += ["--interface", interface] }
        if let ringPorts {
            words += ["--ring-port", "\(ringPorts.lowerBound)-\(ringPorts.upperBound)"]
        }
        return words
    }
}
