import Kernels
import Messaging
import Parameters
import Processes
import TestKit
import Wire

/// Speaks to a coordinator as no worker of this build would.
final class Stranger {
    private let context: Context
    private let socket: DealerSocket
    private let monitor: SocketMonitor
    /// What it says it speaks under.
    let key: [UInt8]

    /// Comes as libzmq lets anybody come; `mark` is the first byte of its identity.
    init(
        to address: String, _ security: SocketOptions.Security = .plain, mark: UInt8 = 1
    ) throws {
        context = try Context()
        var options = SocketOptions()
        options.identity = [mark] + (0..<8).map { _ in UInt8.random(in: 0...255) }
        options.queues.immediate = false
        options.security = security
        socket = try DealerSocket(context, options)
        monitor = try SocketMonitor(socket)
        if case .client(let pair, _) = security { key = pair.publicKey.bytes } else { key = [] }
        try socket.connect(address)
    }

    /// Comes as a worker does: registers a key under the token's and speaks under it.
    convenience init(to address: String, token: Token) throws {
        let own = try KeyPair.random()
        let applicant = try Stranger(
            to: address, .client(token.workers, server: token.coordinator),
            mark: AdmissionMessage.identityMark)
        try applicant.send(AdmissionMessage.register(key: own.publicKey.bytes).encoded)
        guard try AdmissionMessage(decoding: applicant.bytes()) == .registered else {
            throw MessagingError.wouldBlock
        }
        try self.init(to: address, .client(own, server: token.coordinator))
    }

    func send(_ bytes: [UInt8]) throws {
        try socket.send(bytes, until: .now + .seconds(RunningProgram.patience))
    }

    func receive() throws -> CoordinatorMessage { try CoordinatorMessage(decoding: bytes()) }

    func bytes() throws -> [UInt8] {
        try wait { try socket.receive() }
    }

    /// Why the handshake came to nothing.
    func failure() throws -> HandshakeFailure {
        try wait {
            guard let event = try monitor.receive(), case .handshakeFailed(let reason) = event.kind
            else { return nil }
            return reason
        }
    }

    /// Returns when the connection has ended.
    func waitForEnd() throws {
        _ = try wait { try monitor.receive()?.kind == .disconnected ? true : nil }
    }

    private func wait<Value>(for find: () throws -> Value?) throws -> Value {
        let deadline = ContinuousClock.now + .seconds(RunningProgram.patience)
        while true {
            if let value = try find() { return value }
            var poller = Poller()
            poller.add(socket, for: .readable)
            poller.add(monitor)
            guard try poller.wait(until: deadline) else { throw MessagingError.wouldBlock }
        }
    }

    func hello(software: String = "dtrain 0.1.0", probe: UInt64 = 1) -> WorkerMessage {
        .hello(
            Hello(
                software: software, arithmetic: UInt32(ArithmeticVersion.current),
                address: PeerAddress(
                    hostKey: "elsewhere", hostName: "elsewhere", ipc: "", tcp: "tcp://127.0.0.1:1"),
                key: key, processID: 4711, instance: .random(in: 0...UInt64.max), threads: 1,
                kernel: "Stranger",
                probe: FastDigest(high: probe, low: probe)))
    }

    /// The bytes of a message under another version of the protocol.
    static func speaking(_ version: Int, _ message: WorkerMessage) -> [UInt8] {
        var bytes = message.encoded
        bytes[4] = UInt8(version)
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
        options.waits.linger = .seconds(1)
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
