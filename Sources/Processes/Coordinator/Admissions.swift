import Coordination
import Messaging
import Wire

/// Whom a coordinator lets in.
///
/// The token's key admits: under it one may ask how the run stands, and register a key of one's own.
/// The own key identifies: workers speak under it, and no other can in their name.
final class Admissions {
    let door: Gate.Door
    private(set) var token: Token
    private let gate: Gate
    private let guests = GuestList()
    /// Registered keys, oldest first.
    private var registered: [PublicKey] = []
    private var owners: [PeerID: PublicKey] = [:]
    /// Connections under the token's key.
    private var applicants: Set<Int32> = []

    /// Registered keys at most; more than workers, since each process registers one.
    private static let limit = 4 * WireLimit.members

    init(_ context: Context, _ token: Token) throws(MessagingError) {
        gate = try Gate(context)
        door = gate.open(for: guests)
        self.token = token
        guests.insert(token.workers.publicKey)
    }

    func caller(_ sender: RouterSocket.Sender) -> Caller? {
        guard let key = sender.key else { return nil }
        guard key != token.workers.publicKey else {
            applicants.insert(sender.connection)
            switch sender.identity[0] {
            case StatusMessage.identityMark: return .asker
            case AdmissionMessage.identityMark: return .applicant
            default: return nil
            }
        }
        // A connection may outlive the right to make it.
        guard guests.contains(key) else { return nil }
        if RelayAddress.isIdentity(sender.identity) { return .neighbour }
        guard let peer = PeerID(identity: sender.identity),
            owners[peer] ?? key == key
        else { return nil }
        owners[peer] = key
        return .worker(peer)
    }

    /// The key that a peer has proven to own.
    func key(of peer: PeerID) -> [UInt8] { owners[peer]?.bytes ?? [] }

    func forget(_ peer: PeerID) { owners[peer] = nil }

    func ended(_ connection: Int32) { applicants.remove(connection) }

    /// Lets a worker's own key in from now on.
    func register(_ key: PublicKey) {
        guard key != token.workers.publicKey, !guests.contains(key) else { return }
        registered.append(key)
        guests.insert(key)
        guard registered.count > Self.limit else { return }
        guests.remove(registered.removeFirst())
    }

    /// From now on this token admits, and the one before does not.
    func change(to new: Token) {
        guests.remove(token.workers.publicKey)
        token = new
        guests.insert(new.workers.publicKey)
    }

    /// Forgets every key but those of the peers; returns the connections made with an older token.
    func keepOnly(_ peers: [PeerID]) -> Set<Int32> {
        let keys = peers.compactMap { owners[$0] }
        owners = owners.filter { peers.contains($0.key) }
        registered = registered.filter { keys.contains($0) }
        guests.replace(with: Set(keys + [token.workers.publicKey]))
        defer { applicants = [] }
        return applicants
    }

    /// Numeric addresses of those whose key was refused since the last call.
    func takeStrangers() -> [String] { guests.takeStrangers().map(\.address) }
}
