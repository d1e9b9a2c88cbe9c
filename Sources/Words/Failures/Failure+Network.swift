import Processes

extension Failure {
    package init(_ error: NetworkChoices.Failure) {
        switch error {
        case .noAddress(let interface, let present):
            self = .usage(
                "--interface \(interface) has no address here, give "
                    + Self.alternatives(present))
        case .portsInUse(let ports) where ports.count == 1:
            self = .io(
                "--ring-port \(ports.lowerBound) is in use, give another, or a range where several "
                    + "workers share a host")
        case .portsInUse(let ports):
            self = .io(
                "--ring-port \(ports.lowerBound)-\(ports.upperBound) are all in use, give more")
        }
    }

    package init(_ error: ControlEndpoint.Failure) {
        switch error {
        case .leadsToLoopback(let host, let address):
            self = .usage(
                "--bind '\(host)' leads to \(address) here, where other hosts do not come: bind "
                    + "tcp://[::]:PORT or this host's address in numbers")
        }
    }
}
