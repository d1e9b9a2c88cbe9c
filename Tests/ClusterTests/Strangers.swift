import Messaging
import TestKit
import Wire

/// Speaks to a coordinator as no worker of this build would.
final class Stranger {
    private let context: Context
    private let socket: DealerSocket

    init(to address: String) throws {
        context = try Context()
        var options = SocketOptions()
        options.identity = [1] + (0..<8).map { _ in UInt8.random(in: 0...255) }
        options.immediate = false
        socket = try DealerSocket(context, options)
        try socket.connect(address)
    }

    func send(_ bytes: [UInt8]) throws {
        try socket.send(bytes, until: .now + .seconds(RunningProgram.patience))
    }

    func receive() throws -> CoordinatorMessage {
        var poller = Poller()
        poller.add(socket, for: .readable)
        let deadline = ContinuousClock.now + .seconds(RunningProgram.patience)
        while true {
            if let bytes = try socket.receive() { return try CoordinatorMessage(decoding: bytes) }
            guard try poller.wait(until: deadline) else { throw MessagingError.wouldBlock }
        }
    }

    static func hello(software: String = "dtrain 0.1.0", probe: UInt64 = 1) -> WorkerMessage {
        .hello(
            Hello(
                software: software,
                address: PeerAddress(
                    hostKey: "elsewhere", hostName: "elsewhere", ipc: "", tcp: "tcp://127.0.0.1:1"),
                processID: 4711, instance: .random(in: 0...UInt64.max), threads: 1,
                kernel: "Stranger",
                probe: WireDigest(high: probe, low: probe)))
    }

    /// The bytes of a message under a protocol of the future.
    static func future(_ message: WorkerMessage) -> [UInt8] {
        var bytes = message.encoded
        bytes[4] = 99
        return bytes
    }
}

/// Answers workers as no coordinator of this build would.
final class StrangeCoordinator {
    private let context: Context
    private let socket: RouterSocket
    let address: String

    init() throws {
        context = try Context()
        var options = SocketOptions()
        options.linger = .seconds(1)
        socket = try RouterSocket(context, options)
        address = try socket.bind("tcp://127.0.0.1:*")
    }

    /// Answers the first message that comes.
    func answer(with bytes: [UInt8]) throws {
        var poller = Poller()
        poller.add(socket, for: .readable)
        let deadline = ContinuousClock.now + .seconds(RunningProgram.patience)
        while true {
            if let message = try socket.receive() {
                return try socket.send(to: message.identity, bytes)
            }
            guard try poller.wait(until: deadline) else { throw MessagingError.wouldBlock }
        }
    }
}
