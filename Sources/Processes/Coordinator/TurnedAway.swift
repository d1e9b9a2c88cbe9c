import Messaging

/// Connections that a listening socket has turned away: each kind is told once, then at most every
/// ten seconds with how many more there were, so that a flood of strangers is no flood of lines.
struct TurnedAway {
    struct Kind: Hashable {
        /// Numeric address; empty where it is not known.
        var host: String
        var reason: HandshakeFailure

        init(host: String, reason: HandshakeFailure) {
            self.host = host
            // libzmq's codes make no difference to anybody.
            switch reason {
            case .cutOff: self.reason = .cutOff(code: 0)
            case .nonsense: self.reason = .nonsense(code: 0)
            default: self.reason = reason
            }
        }
    }

    private struct Record {
        var kind: Kind
        var saidAt: ContinuousClock.Instant
        var more = 0
    }

    /// The latest at the end.
    private var records: [Record] = []
    private static let pause = Duration.seconds(10)
    private static let limit = 64

    /// How many were not told of since the last line of this kind; nil if this one is not to be
    /// told of either.
    mutating func note(_ kind: Kind, at now: ContinuousClock.Instant) -> Int? {
        guard let index = records.lastIndex(where: { isLike($0, kind, at: now) }) else {
            if records.count == Self.limit { records.removeFirst() }
            records.append(Record(kind: kind, saidAt: now))
            return 0
        }
        guard records[index].saidAt + Self.pause <= now else {
            records[index].more += 1
            return nil
        }
        let more = records.remove(at: index).more
        records.append(Record(kind: kind, saidAt: now))
        return more
    }

    /// Connections whose address was gone before it could be asked for count with the last ones; so
    /// do ends in the middle of a handshake just after another failure, which often are the same.
    private func isLike(_ record: Record, _ kind: Kind, at now: ContinuousClock.Instant) -> Bool {
        guard record.kind != kind else { return true }
        guard record.saidAt + .seconds(2) > now else { return false }
        let isSameHost =
            record.kind.host == kind.host || kind.host.isEmpty || record.kind.host.isEmpty
        return isSameHost
            && (record.kind.reason == kind.reason || kind.reason == .cutOff(code: 0))
    }
}
