import Messaging
import Settings

extension Address {
    /// Returns the host's IP addresses: at least one, in the system's order of preference.
    ///
    /// - Throws: `MessagingError.unknownHost`.
    package func candidates() throws(MessagingError) -> [IPAddress] {
        if let address = IPAddress(host) { return [address] }
        let found = try IPAddress.addresses(of: host)
        guard !found.isEmpty else { throw .unknownHost(host, reason: "it has no IP address") }
        return found
    }

    /// The address to connect to: the only one, or the first of several at which somebody listens;
    /// nil if nobody does yet.
    ///
    /// - Throws: `MessagingError.unknownHost`.
    package func answering() throws(MessagingError) -> IPAddress? {
        let found = try candidates()
        if found.count == 1 { return found[0] }
        return Route.firstToAnswer(found, port: port, milliseconds: 2000)
    }

    /// The same with another host.
    package func at(_ address: IPAddress) -> Address {
        Address(host: address.description, port: port)
    }

    /// Leads to this machine, by loopback or by an address of its own.
    package var isOfThisMachine: Bool {
        isLoopback || IPAddress(host).map(Route.addresses().contains) ?? false
    }
}
