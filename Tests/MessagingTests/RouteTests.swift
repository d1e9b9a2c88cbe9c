import Messaging
import Testing

@Suite("Addresses and routes")
struct RouteTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("fd77::0010", "[fd77::10]"),
        ("::ffff:10.0.0.7", "10.0.0.7"), ("0.0.0.0", "0.0.0.0"),
    ])
    func `addresses in numbers are read and written`(text: String, endpoint: String) {
        #expect(IPAddress(text)?.inEndpoint == endpoint)
    }

    @Test(arguments: ["", "localhost", "1.2.3.4.5", "[::1]", "::1:5555x"])
    func `anything else is no address`(text: String) { #expect(IPAddress(text) == nil) }

    @Test func `kinds of addresses are told apart`() throws {
        for text in ["127.0.1.1", "::1"] { #expect(try #require(IPAddress(text)).isLoopback) }
        for text in ["169.254.3.4", "fe80::1"] {
            #expect(try #require(IPAddress(text)).isLinkLocal)
        }
        for text in ["0.0.0.0", "::"] { #expect(try #require(IPAddress(text)).isWildcard) }
        let plain = try #require(IPAddress("10.77.0.11"))
        #expect(!plain.isLoopback && !plain.isLinkLocal && !plain.isWildcard)
    }

    @Test func `a name that leads nowhere is named`() {
        #expect {
            _ = try IPAddress.addresses(of: "no-such-host.invalid")
        } throws: { error in
            guard case .unknownHost("no-such-host.invalid", let reason)? = error as? MessagingError
            else { return false }
            return !reason.isEmpty
        }
    }

    @Test func `the way to loopback begins there`() throws {
        #expect(Route.source(towards: .loopback) == .loopback)
        #expect(Route.addresses(ofInterface: "lo").contains(.loopback))
        #expect(Route.interfaces.contains("lo"))
        #expect(Route.addresses(ofInterface: "nic9") == [])
    }

    @Test func `the first free port of a range is taken, and none beyond it`() throws {
        let context = try Context()
        let first = try RouterSocket(context)
        let port = try first.bind([.loopback], ports: nil)
        let second = try RouterSocket(context)
        #expect(throws: MessagingError.addressInUse(endpoint: "tcp://127.0.0.1:\(port)")) {
            try second.bind([.loopback], ports: port...port)
        }
        let found = try second.bind([.loopback], ports: port...min(port + 40, 65_535))
        #expect(found > port && found <= port + 40)
    }

    @Test(arguments: ["127.0.0.1", "[::1]"])
    func `the IPv6 wildcard takes connections of both families`(host: String) throws {
        let context = try Context()
        var options = SocketOptions()
        options.ipv6 = true
        let router = try RouterSocket(context, options)
        let port = try router.bind([.anyV6], ports: nil)
        options.identity = [1, 2]
        let dealer = try DealerSocket(context, options)
        try dealer.connect("tcp://\(host):\(port)")
        try dealer.send([7], until: .now + .seconds(10))
        var poller = Poller()
        poller.add(router, for: .readable)
        try #require(try poller.wait(until: .now + .seconds(10)))
        let message = try #require(try router.receive())
        #expect(message.payload == [7])
        #expect(
            Route.source(ofConnection: message.connection)?.inEndpoint == host)
    }
}
