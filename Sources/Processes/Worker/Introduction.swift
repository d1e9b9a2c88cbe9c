import Coordination
import Glibc
import Kernels
import Links
import Messaging
import Model
import Wire

/// The words with which a worker introduces itself.
struct Introduction {
    private let network: NetworkChoices
    /// Where the ring listens, and at which port.
    private let addresses: [IPAddress]
    private let port: Int
    private var hello: Hello
    /// The endpoint that others were told last.
    private var advertised = ""

    init(
        _ options: WorkerOptions, _ endpoints: PeerAddress, listening addresses: [IPAddress],
        _ key: PublicKey?
    ) {
        network = options.network
        self.addresses = addresses
        port = endpoints.port
        hello = Hello(
            software: options.software, arithmetic: UInt32(ArithmeticVersion.current),
            address: endpoints, key: key?.bytes ?? [], processID: Int(getpid()),
            instance: .random(in: 1 ... .max), threads: options.threads,
            kernel: Instructions.chosen.rawValue, probe: arithmeticProbe())
    }

    /// The process, as its neighbours' coordinator knows it.
    var instance: UInt64 { hello.instance }

    /// Returns the hello for a coordinator that this host reaches from `source`, and what to say of
    /// the place where others find the ring, if that is another than before: a laptop has moved, a
    /// name leads elsewhere.
    mutating func words(
        from source: IPAddress, obeyed: (run: UInt64?, epoch: UInt32)
    ) -> (hello: Hello, news: WorkerReport?) {
        var hello = hello
        (hello.run, hello.epoch) = obeyed
        let host = network.advertised(source, listening: addresses)
        hello.address.tcp =
            network.relay
            ? RelayAddress.endpoint(ofInstance: hello.instance) : "tcp://\(host):\(port)"
        guard network.isOpen, hello.address.tcp != advertised else { return (hello, nil) }
        advertised = hello.address.tcp
        return (hello, network.relay ? .relayed : .listening(advertised))
    }
}
