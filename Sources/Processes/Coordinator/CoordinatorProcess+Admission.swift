import Coordination
import Events
import Foundation
import Messaging
import Wire

/// Who comes to the coordinator's door.
extension CoordinatorProcess {
    func takeMessages() throws(MessagingError) {
        var passed = 0
        // Not more frames in a row: orders and heartbeats must go on.
        while outcome == nil, passed < Self.relayedAtOnce {
            do throws(MessagingError) {
                guard let mail = try endpoint.socket.receiveMail(passed: relayed) else { return }
                let sender = mail.sender
                switch (endpoint.caller(sender), mail.isAddressed) {
                case (.worker(let peer), false):
                    connections[sender.connection] = peer
                    take(mail.payload, from: peer)
                case (.asker, false): answer(mail.payload, to: sender.identity)
                case (.applicant, false): admit(mail.payload, sender)
                case (.neighbour, true):
                    relay.pass(relayed, to: mail.payload, from: sender)
                    passed += 1
                default: break
                }
            } catch .tooManyBytes, .tooManyFrames, .tooFewFrames {
                continue
            }
        }
    }

    private static let relayedAtOnce = 64

    func takeConnectionEvents() throws(MessagingError) {
        while let event = try endpoint.monitor.receive() {
            let host = endpoint.unproven.onlyHost ?? ""
            if let reason = endpoint.unproven.note(event) { turnedAway(reason, host) }
            guard event.kind == .disconnected else { continue }
            endpoint.admissions?.ended(event.descriptor)
            relay.ended(event.descriptor)
            guard let peer = connections.removeValue(forKey: event.descriptor) else { continue }
            handle(.disconnected(peer))
        }
    }

    private func turnedAway(_ reason: HandshakeFailure, _ host: String) {
        var hosts = [host]
        if reason == .refused { hosts = endpoint.admissions?.takeStrangers() ?? [] }
        for host in hosts {
            let kind = TurnedAway.Kind(host: host, reason: reason)
            guard let more = strangers.note(kind, at: .now) else { continue }
            report(.turnedAway(Stranger(host: host, reason, more: more)))
        }
    }

    /// Answers somebody who has shown the token.
    private func admit(_ payload: [UInt8], _ sender: RouterSocket.Sender) {
        guard let admissions = endpoint.admissions else { return }
        do throws(WireError) {
            switch try AdmissionMessage(decoding: payload) {
            case .register(let key):
                guard let key = PublicKey(key) else { return }
                admissions.register(key)
                reply(AdmissionMessage.registered.encoded, to: sender)
            case .readToken: readToken(for: sender)
            case .registered, .tokenRead: break
            }
        } catch .otherProtocol(let theirs, let ours) {
            let refusal = Refusal.version(theirs: "protocol \(theirs)", ours: "protocol \(ours)")
            report(.note(.refused(host: "", processID: 0, refusal)))
            reply(CoordinatorMessage.refused(refusal).encoded, to: sender)
        } catch {
            return
        }
    }

    private func reply(_ message: [UInt8], to sender: RouterSocket.Sender) {
        try? endpoint.socket.send(to: sender.identity, message)
    }

    // MARK: another token

    /// Reads the folder's token anew; who asked is told once all workers have it.
    private func readToken(for sender: RouterSocket.Sender) {
        guard let admissions = endpoint.admissions, let store = setup.store,
            let token = try? Access.tokenFile(store.folder.paths.token).token(),
            token.coordinator == admissions.token.coordinator, token != admissions.token
        else { return reply(AdmissionMessage.tokenRead(workers: 0).encoded, to: sender) }
        admissions.change(to: token)
        localWorkers?.token = token.text
        askedForToken = sender
        handle(.tokenChanged(token.text))
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
        reply(AdmissionMessage.tokenRead(workers: peers.count).encoded, to: sender)
    }
}
