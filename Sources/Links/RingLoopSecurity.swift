import Messaging
import Wire

/// Decides who may be a neighbour.
extension RingLoop {
    /// Returns the encryption of the link to the successor: none within the host and the user. Nil
    /// where it must be encrypted, and the successor's key is not known.
    func security(_ value: RingMembership, _ endpoint: String) -> SocketOptions.Security? {
        guard let own = configuration.security?.keys, endpoint.hasPrefix("tcp:") else {
            return .plain
        }
        guard let successor = value.keys.flatMap({ PublicKey($0.successor) }) else { return nil }
        return .client(own, server: successor)
    }

    /// The one key that is let in.
    func predecessor(_ value: RingMembership) -> Set<PublicKey> {
        guard let keys = value.keys, let key = PublicKey(keys.predecessor) else { return [] }
        return [key]
    }

    /// Returns the evidence of who sent the frame at hand.
    func proof(_ connection: Int32) -> Proof {
        if connection == RingInbound.relayed { return .relayed }
        unproven.heard(from: payload.connection)
        if let key = payload.user { return .key(key) }
        return isOfThisUser(payload.connection) ? .sameUser : .none
    }

    /// Whether the one who greets is the one whom the coordinator has named.
    func isPredecessor(_ candidate: RingInbound, _ value: RingMembership) -> Bool {
        guard configuration.security != nil else { return true }
        guard let keys = value.keys else { return false }
        switch candidate.proof {
        case .key(let key): return key.bytes == keys.predecessor
        case .sameUser: return !keys.encryptsAll
        // It let in nobody but workers of this run.
        case .relayed: return value.predecessorIsRelayed
        case .none: return false
        }
    }

    /// Whether the listener at an ipc endpoint belongs to this user: any user may take a name that
    /// has become free.
    func isOwnUsers(_ link: RingLink, _ descriptor: Int32) -> Bool {
        guard configuration.security != nil, link.endpoint.hasPrefix("ipc:") else { return true }
        return isOfThisUser(descriptor)
    }

    /// Connects anew where a failed handshake has ended it: the successor may not have heard of
    /// this generation yet.
    func tryAgain(_ value: RingMembership) {
        guard let failed = link, !failed.answered, let failure = failed.failure else { return }
        do throws(MessagingError) {
            _ = try connect(value)
            link?.failure = failure
            rebuildPoller()
        } catch {
            breakUp(.socket(error))
        }
    }

    func turnedAway(_ reason: HandshakeFailure, _ host: String) {
        guard configuration.security != nil else { return }
        var hosts = [host]
        if reason == .refused { hosts = guests.takeStrangers().map(\.address) }
        for host in hosts { notify(.turnedAway(host: host, reason)) }
    }
}
