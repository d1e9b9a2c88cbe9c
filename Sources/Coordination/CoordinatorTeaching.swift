import Wire

/// A worker on its way to the state that the members hold, while these train on.
///
/// The state comes in ranges of elements from any members, each as of the step at which it was
/// given; the totals of later steps bring a range forward. A donor's death costs one range.
struct Pupil: Sendable {
    struct Request: Hashable, Sendable {
        /// Counts all requests: a donor answers them in this order.
        var number: Int
        var donor: PeerID
        var range: Int
        var subject: PieceRequest.Subject
        var since: Instant
    }

    /// The step as of which each range is there or on its way; -1 for nothing.
    var held: [Int]
    var requests: [Request] = []
    /// Pieces sent to it that it has not taken yet.
    var underWay = 0
    /// The last committed step when it began.
    let since: Int
    var lastMovement: Instant
    /// Fewest ranges that were missing at a boundary, and boundaries since that brought no fewer.
    var leastMissing = Int.max
    var boundariesWithoutGain = 0

    /// Pieces asked for or under way at most.
    static let window = 8
    /// Boundaries without gain after which the others wait for it: its link is slower than the
    /// totals come.
    static let patience = 4

    /// Returns the piece to ask for next: ranges that one total brings up to date go first.
    func next(committed: Int) -> (range: Int, subject: PieceRequest.Subject)? {
        guard requests.count + underWay < Self.window else { return nil }
        let asked = Set(requests.map(\.range))
        let open = held.indices.lazy.filter { held[$0] != committed && !asked.contains($0) }
        if let range = open.first(where: { held[$0] == committed - 1 && committed > 0 }) {
            return (range, .total(step: committed))
        }
        return open.first.map { ($0, .state) }
    }

    /// Ranges that more than one total would have to bring up to date.
    func missing(committed: Int) -> Int { held.count { $0 < committed - 1 } }
}

/// The state for those who come later.
extension Coordinator {
    private var ranges: Int {
        (parameterCount + policy.pieceElements - 1) / policy.pieceElements
    }

    private func elements(ofRange range: Int) -> Int {
        min(policy.pieceElements, parameterCount - range * policy.pieceElements)
    }

    /// Lets those who lack the state learn it, while there are shards for them.
    mutating func enrol(at now: Instant) {
        guard let members else { return }
        var room = policy.shards - members.peers.count - peers.values.count { $0.pupil != nil }
        for peer in peersInOrder where room > 0 {
            guard peer.isPrepared, peer.pupil == nil, peer.mistaught != committed,
                !members.peers.contains(peer.id),
                peer.holds.map({ $0 < committed || usableStep(of: peer) == nil }) ?? true,
                !probations.hold(peer.hello.instance, at: now)
            else { continue }
            endDelivery(to: peer.id)
            let fresh = pupil(holding: usableStep(of: peer) ?? -1, at: now)
            peers[peer.id]?.pupil = fresh
            beginState(of: peer.id, at: now)
            note(.teaching(name: peer.name, step: committed))
            teach(peer.id, at: now)
            room -= 1
        }
    }

    private func pupil(holding step: Int, at now: Instant) -> Pupil {
        Pupil(
            held: Array(repeating: step, count: ranges), since: committed, lastMovement: now)
    }

    /// Asks members for what a pupil lacks, as far as its window allows.
    mutating func teach(_ id: PeerID, at now: Instant) {
        let donors = peersInOrder.filter {
            $0.isPrepared && $0.pupil == nil && $0.holds == committed
        }
        guard !donors.isEmpty else { return }
        while let (range, subject) = peers[id]?.pupil?.next(committed: committed) {
            let donor = donors[piecesAsked % donors.count].id
            piecesAsked += 1
            peers[id]?.pupil?.requests.append(
                Pupil.Request(
                    number: piecesAsked, donor: donor, range: range, subject: subject, since: now))
            let request = PieceRequest(
                subject, offset: range * policy.pieceElements, count: elements(ofRange: range))
            send(.givePiece(request), to: donor)
        }
    }

    mutating func teachAll(at now: Instant) {
        for peer in peersInOrder where peer.pupil != nil { teach(peer.id, at: now) }
    }

    /// A donor's answer: it goes on to whoever it was asked for.
    mutating func piece(_ piece: StatePiece, from donor: PeerID, at now: Instant) {
        let range = piece.offset / policy.pieceElements
        guard piece.offset % policy.pieceElements == 0, range < ranges else {
            return lost(donor, .spokeNonsense, at: now)
        }
        // Several pupils may wait for the same range; who was to have it may be gone.
        let open = peersInOrder.flatMap { peer in
            (peer.pupil?.requests ?? []).map { (pupil: peer.id, request: $0) }
        }
        let answered = open.filter {
            $0.request.donor == donor && $0.request.range == range
                && piece.content.answers($0.request.subject, step: piece.step)
        }
        guard let (pupil, request) = answered.min(by: { $0.request.number < $1.request.number })
        else { return }
        peers[pupil]?.pupil?.requests.removeAll { $0.number == request.number }
        guard fits(piece, range) else { return lost(donor, .spokeNonsense, at: now) }
        hand(piece, range, to: pupil, at: now)
        teach(pupil, at: now)
    }

    private func fits(_ piece: StatePiece, _ range: Int) -> Bool {
        if case .nothing = piece.content { return true }
        return piece.step <= committed && piece.count == elements(ofRange: range)
    }

    private mutating func hand(_ piece: StatePiece, _ range: Int, to id: PeerID, at now: Instant) {
        switch piece.content {
        // What the total would have brought forward has to come whole.
        case .nothing:
            peers[id]?.pupil?.held[range] = -1
            return
        case .state: break
        case .total: guard peers[id]?.pupil?.held[range] == piece.step - 1 else { return }
        }
        peers[id]?.pupil?.held[range] = piece.step
        peers[id]?.pupil?.underWay += 1
        peers[id]?.pupil?.lastMovement = now
        // Its state is a mixture from here on, until it says otherwise.
        peers[id]?.holds = nil
        peers[id]?.written = nil
        send(.piece(piece), to: id)
    }

    mutating func pieceTaken(by id: PeerID, at now: Instant) {
        guard let pupil = peers[id]?.pupil, pupil.underWay > 0 else { return }
        peers[id]?.pupil?.underWay -= 1
        peers[id]?.pupil?.lastMovement = now
        if case .restoring = stage { movements += 1 }
        teach(id, at: now)
    }

    /// A step that was skipped brings everybody forward without a total.
    mutating func pass(step: Int) {
        for peer in peersInOrder where peer.pupil != nil {
            guard let held = peer.pupil?.held, held.contains(step - 1) else { continue }
            peers[peer.id]?.pupil?.held = held.map { $0 == step - 1 ? step : $0 }
            peers[peer.id]?.holds = nil
            peers[peer.id]?.written = nil
            send(.passStep(step), to: peer.id)
        }
    }

    /// A pupil's state is all of one step: it is right if a member has written the same. If not,
    /// the pupil starts anew.
    mutating func learned(_ id: PeerID, _ held: HeldState, at now: Instant) {
        guard held.step == committed, let pupil = peers[id]?.pupil,
            pupil.held.allSatisfy({ $0 == held.step }),
            let known = peersInOrder.first(where: {
                $0.id != id && $0.holds == held.step && $0.written != nil
            })
        else { return }
        guard known.written == held.digest else {
            note(.stateDiffers(step: committed, names: names(of: [id])))
            // It may be a donor's memory that has changed: the vote on a step shows whose.
            peers[id]?.pupil = nil
            peers[id]?.mistaught = committed
            if case .restoring = stage { assemble(at: now) }
            return
        }
        prove(id, held, at: now)
        guard case .restoring(var pending) = stage else { return }
        pending.remove(id)
        movements += 1
        stage = .restoring(pending)
        if pending.isEmpty { assemble(at: now) }
    }

    /// Pupils that are nearly there, or whose link will not bring them nearer: the others wait for
    /// the rest.
    mutating func graduates(at now: Instant) -> [PeerID] {
        guard let members else { return [] }
        var chosen: [PeerID] = []
        for peer in peersInOrder {
            // Not before a step was voted on by those from whom it has learned.
            guard var pupil = peer.pupil, pupil.since < committed else { continue }
            let missing = pupil.missing(committed: committed)
            if missing < pupil.leastMissing {
                pupil.leastMissing = missing
                pupil.boundariesWithoutGain = 0
            } else {
                pupil.boundariesWithoutGain += 1
            }
            peers[peer.id]?.pupil = pupil
            let isReady = missing == 0 || pupil.boundariesWithoutGain >= Pupil.patience
            if isReady && members.peers.count + chosen.count < policy.shards {
                chosen.append(peer.id)
            }
        }
        return chosen
    }

    /// Lets the others wait until the graduates hold the state of the step just committed.
    mutating func admit(_ graduates: [PeerID], at now: Instant) {
        dissolve()
        let pending = graduates.filter { peers[$0]?.holds != committed }
        guard !pending.isEmpty else { return assemble(at: now) }
        stage = .restoring(Set(pending))
        for id in pending { teach(id, at: now) }
    }

    /// A peer is gone: what it was asked for is asked of others.
    mutating func leaveTeaching(_ id: PeerID, at now: Instant) {
        for peer in peersInOrder where peer.pupil != nil {
            peers[peer.id]?.pupil?.requests.removeAll { $0.donor == id }
        }
        teachAll(at: now)
    }

    /// Gives up pupils that do not take what is sent, and donors that do not answer.
    mutating func watchPupils(at now: Instant) {
        let stall = policy.deadlines.stall
        for peer in peersInOrder {
            guard let pupil = peer.pupil else { continue }
            if pupil.underWay > 0 && pupil.lastMovement + stall < now {
                let silence = now.milliseconds(since: pupil.lastMovement)
                lost(peer.id, .stuck(milliseconds: silence), at: now)
                continue
            }
            guard let late = pupil.requests.first(where: { $0.since + stall < now }) else {
                continue
            }
            let silence = now.milliseconds(since: late.since)
            lost(late.donor, .stuck(milliseconds: silence), at: now)
        }
    }
}

extension StatePiece.Content {
    /// Whether the content is of the kind that was asked for.
    fileprivate func answers(_ subject: PieceRequest.Subject, step: Int) -> Bool {
        switch (self, subject) {
        case (.nothing, _), (.state, .state): true
        case (.total, .total(let asked)): step == asked
        default: false
        }
    }
}
