import CLinux  // Whichever of the two is read first owns the constants of <sys/socket.h>.
import Glibc

/// The connections of a listening socket over which nothing has come yet; it keeps their number
/// low, so that strangers cannot use up this process's descriptors and memory.
///
/// A connection over which a message comes has passed the handshake, and with it the gate.
package struct Connections: ~Copyable {
    private struct Guest {
        let descriptor: Int32
        let host: String
    }

    /// Oldest first.
    private var unproven: [Guest] = []
    private let limit: Int
    /// The connection that ends next has been accounted for.
    private var isExplained = false
    /// Connections that have shaken hands and said nothing yet; which they are libzmq does not
    /// tell.
    private var silent = 0

    /// Makes an empty list. Above `limit` connections, the oldest of the host that has most is cut.
    package init(limit: Int = 64) { self.limit = limit }

    /// Take note of every event of the socket's monitor.
    ///
    /// - Returns: why a connection has been turned away, if that is what the event means.
    package mutating func note(_ event: ConnectionEvent) -> HandshakeFailure? {
        switch event.kind {
        case .accepted:
            forget(event.descriptor)
            unproven.append(
                Guest(descriptor: event.descriptor, host: Self.host(of: event.descriptor)))
            if unproven.count > limit { dropOne() }
        case .handshakeFailed(let reason):
            isExplained = true
            return reason
        case .disconnected:
            defer { isExplained = false }
            let wasUnproven = unproven.contains { $0.descriptor == event.descriptor }
            forget(event.descriptor)
            guard wasUnproven, !isExplained else { return nil }
            guard silent == 0 else {
                silent -= 1
                return nil
            }
            // libzmq tells no reason where not even the first byte was right.
            return .nonsense(code: 0)
        case .ready: silent += 1
        default: break
        }
        return nil
    }

    /// A message has come over this connection.
    package mutating func heard(from descriptor: Int32) {
        guard unproven.contains(where: { $0.descriptor == descriptor }) else { return }
        forget(descriptor)
        silent = max(0, silent - 1)
    }

    /// Number of connections over which nothing has come yet.
    package var count: Int { unproven.count }

    /// The one host that all of them come from; nil if there are several or none.
    package var onlyHost: String? {
        let hosts = Set(unproven.map(\.host))
        return hosts.count == 1 ? hosts.first : nil
    }

    /// Breaks a connection; libzmq closes it then, as if the other side had.
    package static func cut(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private mutating func forget(_ descriptor: Int32) {
        unproven.removeAll { $0.descriptor == descriptor }
    }

    /// The oldest of the host that has most: who floods is hit first.
    private mutating func dropOne() {
        let counts = Dictionary(grouping: unproven, by: \.host).mapValues(\.count)
        guard let most = counts.values.max(),
            let index = unproven.firstIndex(where: { counts[$0.host] == most })
        else { return }
        Self.cut(unproven.remove(at: index).descriptor)
    }

    /// Numeric address of the other side; empty for a unix socket or one that is gone.
    package static func host(of descriptor: Int32) -> String {
        IPAddress(of: descriptor, by: { getpeername($0, $1, $2) })?.description ?? ""
    }
}

/// Returns whether a connection is a unix socket whose other end belongs to this process's user.
package func isOfThisUser(_ descriptor: Int32) -> Bool {
    dtrain_peer_user(descriptor) == Int(geteuid())
}
