/// Listening at several addresses, all at the same port.
extension RouterSocket {
    /// Binds every address at one port: the first free one of a range, or any without a range.
    ///
    /// IPv6 addresses want the option `ipv6`; `[::]` then stands for IPv4 as well, and for IPv4
    /// alone where the kernel has no IPv6.
    ///
    /// - Returns: the port.
    /// - Throws: `.addressInUse` for the range's last port when none is free.
    package func bind(
        _ addresses: [IPAddress], ports: ClosedRange<Int>?
    ) throws(MessagingError) -> Int {
        precondition(!addresses.isEmpty && ports?.lowerBound != 0, "no address or no port")
        guard let ports else { return try bindAll(addresses, "*") }
        for port in ports.dropLast() {
            do throws(MessagingError) {
                return try bindAll(addresses, "\(port)")
            } catch {
                guard case .addressInUse = error else { throw error }
            }
        }
        return try bindAll(addresses, "\(ports.upperBound)")
    }

    private func bindAll(
        _ addresses: [IPAddress], _ port: String
    ) throws(MessagingError) -> Int {
        var bound: [String] = []
        do throws(MessagingError) {
            for address in addresses {
                let port = bound.first.flatMap(Self.port).map { "\($0)" } ?? port
                bound.append(try bindOne(address, port))
            }
        } catch {
            for endpoint in bound { try base.unbind(endpoint) }
            throw error
        }
        return Self.port(of: bound[0])!
    }

    private func bindOne(_ address: IPAddress, _ port: String) throws(MessagingError) -> String {
        do throws(MessagingError) {
            return try bind("tcp://\(address.inEndpoint):\(port)")
        } catch {
            if case .addressInUse = error { throw error }
            guard address == .anyV6 else { throw error }
            return try bind("tcp://\(IPAddress.anyV4.inEndpoint):\(port)")
        }
    }

    private static func port(of endpoint: String) -> Int? {
        endpoint.split(separator: ":").last.flatMap { Int($0) }
    }
}
