import Messaging
import Ring
import Wire

/// The way to the coordinator for a worker whose ring frames go through it.
package struct RelayAccess: Sendable {
    /// The coordinator's endpoint, with its address in numbers.
    package var coordinator: String
    /// This worker's instance, which the name of its inbox bears.
    package var instance: UInt64
    /// The encryption of the connection to the coordinator.
    package var security: SocketOptions.Security

    /// Makes an access of its parts.
    package init(coordinator: String, instance: UInt64, security: SocketOptions.Security) {
        self.coordinator = coordinator
        self.instance = instance
        self.security = security
    }

    /// A socket to the coordinator that bears `identity`.
    func socket(
        _ context: Context, _ configuration: RingConfiguration, identity: [UInt8],
        heartbeat: SocketOptions.Heartbeat?
    ) throws(MessagingError) -> DealerSocket {
        var options = configuration.socketOptions
        options.identity = identity
        options.security = security
        options.ipv6 = coordinator.hasPrefix("tcp://[")
        if let heartbeat { options.heartbeat = heartbeat }
        return try DealerSocket(context, options)
    }
}

/// The connection over which the predecessor's frames come through the coordinator.
final class RelayInbox {
    let socket: DealerSocket
    let monitor: SocketMonitor

    init(
        _ context: Context, _ configuration: RingConfiguration, _ access: RelayAccess,
        heartbeat: SocketOptions.Heartbeat?
    ) throws(MessagingError) {
        let socket = try access.socket(
            context, configuration, identity: RelayAddress.inbox(ofInstance: access.instance),
            heartbeat: heartbeat)
        let monitor = try SocketMonitor(socket)
        try socket.connect(access.coordinator)
        self.socket = socket
        self.monitor = monitor
    }
}

extension RingInbound {
    /// The value that stands for a descriptor where frames come through the coordinator.
    static let relayed: Int32 = -2

    var isRelayed: Bool { connection == Self.relayed }
}

/// Links that go through the coordinator.
extension RingLoop {
    /// Makes ready for a predecessor that comes through the coordinator, if this one does.
    func openInbox(_ value: RingMembership) throws(MessagingError) {
        inbox = nil
        guard value.predecessorIsRelayed else { return }
        guard let access = mailbox.relay.withLock({ $0 }) else {
            return breakUp(.unreachable(value.transport))
        }
        inbox = try RelayInbox(context, configuration, access, heartbeat: value.heartbeat)
    }

    /// Takes one message that has come through the coordinator; false if there is none.
    func receiveFromInbox() throws(MessagingError) -> Bool {
        guard let inbox else { return false }
        do throws(MessagingError) {
            guard try inbox.socket.receive(address: sender, payload: payload) else {
                return false
            }
        } catch .tooManyFrames, .tooFewFrames, .tooManyBytes {
            count(.foreign)
            return true
        }
        guard payload.count > 0 else {
            if let inbound, inbound.isRelayed, isSender(inbound.identity) { losePredecessor() }
            return true
        }
        judgePayload(connection: RingInbound.relayed)
        return true
    }

    func watchInbox() throws(MessagingError) {
        while let inbox, let event = try inbox.monitor.receive() {
            guard event.kind == .disconnected else { continue }
            if earlyGreeting?.isRelayed == true { earlyGreeting = nil }
            if inbound?.isRelayed == true { losePredecessor() }
        }
    }

    private func losePredecessor() {
        inbound = nil
        breakUp(.lost(.predecessor))
    }

    /// Sends a frame back to whom it is for.
    ///
    /// - Throws: `.unknownPeer` or `.wouldBlock` where nobody takes it.
    func reply(_ frame: Message, to inbound: RingInbound) throws(MessagingError) {
        guard inbound.isRelayed else { return try router.send(to: inbound.identity, frame) }
        guard try inbox?.socket.send(address: inbound.identity, frame) == true else {
            throw .wouldBlock
        }
    }

    func reply(_ frame: [UInt8], to inbound: RingInbound) throws(MessagingError) {
        try reply(try Message(frame), to: inbound)
    }
}
