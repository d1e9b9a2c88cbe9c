import Coordination
import Events
import Messaging
import Settings
import Wire

/// The coordinator's door: tells who speaks, lets in whom the token admits, and passes the ring's
/// frames on.
final class Door {
    private let endpoint: ControlEndpoint
    private let relay: Relay
    /// The frame at hand that is to be passed on.
    private let relayed = Message()
    private var connections: [Int32: PeerID] = [:]
    private var strangers = TurnedAway()
    /// Who waits to be told that all workers have the new token.
    private var askedForToken: RouterSocket.Sender?

    init(_ endpoint: ControlEndpoint) {
        self.endpoint = endpoint
        relay = Relay { [endpoint] (sending) throws(MessagingError) in
            try endpoint.socket.send(
                to: sending.receiver, address: sending.from, sending.frame)
        }
    }

    /// Where workers connect.
    var address: Address { endpoint.address }
    /// Whether it lets in everybody.
    var isPlain: Bool { endpoint.admissions == nil }
    /// Whether a worker's connection stands.
    var isVisited: Bool { !connections.isEmpty }
    /// Whether no frame waits to be passed on.
    var isIdle: Bool { relay.isIdle }

    func join(_ poller: inout Poller) {
        poller.add(endpoint.socket, for: .readable)
        poller.add(endpoint.monitor)
    }

    // MARK: what comes

    /// Somebody who speaks.
    enum Visit {
        case worker(PeerID, [UInt8])
        case asker([UInt8], identity: [UInt8])
        /// Has shown the token.
        case applicant([UInt8], RouterSocket.Sender)
        /// A frame was passed on to another worker.
        case passing
        case nobody
    }

    /// Takes the next message; nil if there is none.
    func receive() throws(MessagingError) -> Visit? {
        do throws(MessagingError) {
            guard let mail = try endpoint.socket.receiveMail(passed: relayed) else { return nil }
            let sender = mail.sender
            switch (endpoint.caller(sender), mail.isAddressed) {
            case (.worker(let peer), false):
                connections[sender.connection] = peer
                return .worker(peer, mail.payload)
            case (.asker, false): return .asker(mail.payload, identity: sender.identity)
            case (.applicant, false): return .applicant(mail.payload, sender)
            case (.neighbour, true):
                relay.pass(relayed, to: mail.payload, from: sender)
                return .passing
            default: return .nobody
            }
        } catch .tooManyBytes, .tooManyFrames, .tooFewFrames {
            return .nobody
        }
    }

    /// Takes the next event of a connection; nil if there is none.
    ///
    /// - Returns: strangers that were turned away, and the peer whose connection has ended.
    func nextEvent() throws(MessagingError) -> (turnedAway: [Stranger], lost: PeerID?)? {
        guard let event = try endpoint.monitor.receive() else { return nil }
        let host = endpoint.unproven.onlyHost ?? ""
        let reason = endpoint.unproven.note(event)
        let turnedAway = reason.map { self.turnedAway($0, host) } ?? []
        guard event.kind == .disconnected else { return (turnedAway, nil) }
        endpoint.admissions?.ended(event.descriptor)
        relay.ended(event.descriptor)
        return (turnedAway, connections.removeValue(forKey: event.descriptor))
    }

    private func turnedAway(_ reason: HandshakeFailure, _ host: String) -> [Stranger] {
        let hosts = reason == .refused ? endpoint.admissions?.takeStrangers() ?? [] : [host]
        return hosts.compactMap { host in
            strangers.note(TurnedAway.Kind(host: host, reason: reason), at: .now).map {
                Stranger(host: host, reason, more: $0)
            }
        }
    }

    /// Throws away what comes at the end, so that the kernel need not throw away what goes.
    func drain() throws(MessagingError) {
        do throws(MessagingError) {
            while try endpoint.socket.receive() != nil {}
        } catch .tooManyBytes, .tooManyFrames, .tooFewFrames {
            return
        }
        while let event = try endpoint.monitor.receive() {
            if event.kind == .disconnected { connections[event.descriptor] = nil }
        }
    }

    // MARK: what goes

    enum Sending { case sent, full, gone }

    func send(_ message: [UInt8], to peer: PeerID) -> Sending {
        do throws(MessagingError) {
            try endpoint.socket.send(to: peer.identity, message)
            return .sent
        } catch .unknownPeer {
            return .gone
        } catch {
            return .full
        }
    }

    /// Answers one who is no worker; false if nobody is there any more.
    @discardableResult
    func reply(_ message: [UInt8], to identity: [UInt8]) -> Bool {
        (try? endpoint.socket.send(to: identity, message)) != nil
    }

    /// Passes on what had to wait.
    func flushRelay() { relay.flush() }

    /// An endpoint on this host, as the peer finds it: at the address where it reaches this
    /// coordinator.
    func placed(_ endpoint: String, for peer: PeerID) -> String {
        guard let connection = connections.first(where: { $0.value == peer })?.key,
            let here = Route.source(ofConnection: connection)
        else { return endpoint }
        return NetworkChoices.endpoint(endpoint, from: here)
    }

    /// A roster whose successor is placed so.
    func placed(_ roster: Roster, for peer: PeerID) -> Roster {
        guard let successor = roster.successor else { return roster }
        var roster = roster
        roster.successor?.tcp = placed(successor.tcp, for: peer)
        return roster
    }

    // MARK: admission

    /// The key that a peer has proven to own; empty for plain text.
    func key(of peer: PeerID) -> [UInt8] { endpoint.admissions?.key(of: peer) ?? [] }

    func forget(_ peer: PeerID) { endpoint.admissions?.forget(peer) }

    /// What an applicant wants that the door alone cannot give.
    enum Application {
        case nothing
        /// The folder's token is to be read anew.
        case newToken
        /// It speaks another protocol.
        case refused(Refusal)
    }

    /// Answers somebody who has shown the token.
    func admit(_ payload: [UInt8], _ sender: RouterSocket.Sender) -> Application {
        guard let admissions = endpoint.admissions else { return .nothing }
        do throws(WireError) {
            switch try AdmissionMessage(decoding: payload) {
            case .register(let key):
                guard let key = PublicKey(key) else { return .nothing }
                admissions.register(key)
                reply(AdmissionMessage.registered.encoded, to: sender.identity)
            case .readToken: return .newToken
            case .registered, .tokenRead: break
            }
        } catch .otherProtocol(let theirs, let ours) {
            let refusal = Refusal.version(theirs: "protocol \(theirs)", ours: "protocol \(ours)")
            reply(CoordinatorMessage.refused(refusal).encoded, to: sender.identity)
            return .refused(refusal)
        } catch {}
        return .nothing
    }

    /// From now on the token admits that `path` holds; who asked is told once all workers have it,
    /// or at once if it is no other.
    func change(toTokenAt path: String?, askedBy sender: RouterSocket.Sender) -> Token? {
        guard let admissions = endpoint.admissions, let path,
            let token = try? Access.tokenFile(path).token(),
            token.coordinator == admissions.token.coordinator, token != admissions.token
        else {
            reply(AdmissionMessage.tokenRead(workers: 0).encoded, to: sender.identity)
            return nil
        }
        admissions.change(to: token)
        askedForToken = sender
        return token
    }

    /// Breaks every connection but those of the peers, and of who waits to be told so.
    func admitOnly(_ peers: [PeerID]) {
        guard let admissions = endpoint.admissions else { return }
        for descriptor in admissions.keepOnly(peers) where descriptor != askedForToken?.connection {
            Connections.cut(descriptor)
        }
        for (descriptor, peer) in connections where !peers.contains(peer) {
            Connections.cut(descriptor)
        }
        guard let sender = askedForToken else { return }
        askedForToken = nil
        reply(AdmissionMessage.tokenRead(workers: peers.count).encoded, to: sender.identity)
    }
}
