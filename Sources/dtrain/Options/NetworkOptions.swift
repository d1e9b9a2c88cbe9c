import ArgumentParser
import Processes
import Settings
import Words

/// Where the workers of other hosts find a worker's ring.
struct NetworkOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Name or address that others are told. (default: this host's address on the way to the coordinator)",
            valueName: "host"))
    var advertise: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Port at which the ring listens, or a range to take the first free one of. (default: any)",
            valueName: "port|low-high"))
    var ringPort: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Interface at which the ring listens and is found. (default: all, found by the way to the coordinator)",
            valueName: "name"))
    var interface: String?

    /// One that was given, if any was.
    var givenFlag: String? {
        if advertise != nil { return "--advertise" }
        if ringPort != nil { return "--ring-port" }
        return interface == nil ? nil : "--interface"
    }

    /// `isOpen`: whether workers of other hosts may connect. Throws a usage failure.
    func choices(isOpen: Bool) throws(Failure) -> NetworkChoices {
        var choices = NetworkChoices()
        choices.isOpen = isOpen
        choices.advertise = try advertise.map { (text) throws(Failure) in try host(text) }
        choices.ringPorts = try ringPort.map { (text) throws(Failure) in try Self.ports(text) }
        choices.interface = interface
        return choices
    }

    private static func ports(_ text: String) throws(Failure) -> ClosedRange<Int> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard ends.count <= 2, ends.allSatisfy({ Int($0) != nil }) else {
            throw .usage(.takes("--ring-port", .ports, not: text))
        }
        let low = try whole("--ring-port", ends[0], 1...65_535)
        let high = try whole("--ring-port", ends[ends.count - 1], 1...65_535)
        guard low <= high else {
            throw .usage(.ringPortsEmpty(text, low: low, high: high))
        }
        return low...high
    }
}

/// `text` as `--advertise` takes it. Throws a usage failure.
func host(_ text: String) throws(Failure) -> String {
    let bare = text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
    let address = Address(bare.contains(":") ? "tcp://[\(bare)]:1" : "tcp://\(bare):1")
    guard let address else {
        throw .usage(.takes("--advertise", .host, not: text))
    }
    return address.host
}
