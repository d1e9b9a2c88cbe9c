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
    private var leastMissing = Int.max
    private var boundariesWithoutGain = 0

    /// Pieces asked for or under way at most.
    static let window = 8
    /// Boundaries without gain after which the others wait for it: its link is slower than the
    /// totals come.
    static let patience = 4

    init(held: [Int], since: Int, at now: Instant) {
        self.held = held
        self.since = since
        lastMovement = now
    }

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

    /// At a boundary: whether it is nearly there, or its link will not bring it nearer.
    mutating func isReady(committed: Int) -> Bool {
        // Ranges that more than one total would have to bring up to date.
        let missing = held.count { $0 < committed - 1 }
        if missing < leastMissing {
            leastMissing = missing
            boundariesWithoutGain = 0
        } else {
            boundariesWithoutGain += 1
        }
        return missing == 0 || boundariesWithoutGain >= Self.patience
    }

    mutating func excuse(at now: Instant) {
        lastMovement = now
        for index in requests.indices { requests[index].since = now }
    }
}

/// Brings the state to those who come later, while the members train on.
struct Teaching: Sendable {
    /// Elements of θ, and of a piece.
    private let parameterCount: Int
    private let pieceElements: Int
    private var pupils: [PeerID: Pupil] = [:]
    /// Pieces that members were asked for so far: they take turns.
    private var asked = 0

    init(parameterCount: Int, pieceElements: Int) {
        self.parameterCount = parameterCount
        self.pieceElements = pieceElements
    }

    private var ranges: Int { (parameterCount + pieceElements - 1) / pieceElements }

    private func elements(ofRange range: Int) -> Int {
        min(pieceElements, parameterCount - range * pieceElements)
    }

    /// Number of pupils.
    var count: Int { pupils.count }

    func has(_ id: PeerID) -> Bool { pupils[id] != nil }

    /// A pupil begins, with what it has in memory as of a step of this run, if it has.
    mutating func begin(_ id: PeerID, holding step: Int?, committed: Int, at now: Instant) {
        pupils[id] = Pupil(
            held: Array(repeating: step ?? -1, count: ranges), since: committed, at: now)
    }

    /// It learns no more.
    mutating func end(_ id: PeerID) { pupils[id] = nil }

    mutating func endAll() { pupils = [:] }

    /// Asks members for what a pupil lacks, as far as its window allows.
    mutating func ask(
        for id: PeerID, _ peers: Peers, committed: Int, at now: Instant, _ outbox: inout Outbox
    ) {
        let donors = peers.inOrder.filter {
            $0.isPrepared && !has($0.id) && $0.state.holds == committed
        }
        guard !donors.isEmpty else { return }
        while let (range, subject) = pupils[id]?.next(committed: committed) {
            let donor = donors[asked % donors.count].id
            asked += 1
            pupils[id]?.requests.append(
                Pupil.Request(
                    number: asked, donor: donor, range: range, subject: subject, since: now))
            let request = PieceRequest(
                subject, offset: range * pieceElements, count: elements(ofRange: range))
            outbox.send(.givePiece(request), to: donor)
        }
    }

    mutating func askForAll(
        _ peers: Peers, committed: Int, at now: Instant, _ outbox: inout Outbox
    ) {
        for peer in peers.inOrder where has(peer.id) {
            ask(for: peer.id, peers, committed: committed, at: now, &outbox)
        }
    }

    // MARK: pieces

    /// What a donor's piece is good for.
    enum Answer {
        case nonsense
        /// Nobody waits for it any more.
        case unwanted
        /// This pupil had asked for it, but it must come whole, or has been overtaken.
        case useless(PeerID)
        /// It goes on to this pupil.
        case handed(PeerID)
    }

    /// Finds the pupil for which a donor was asked, and takes note that it gets the piece.
    mutating func take(
        _ piece: StatePiece, from donor: PeerID, committed: Int, at now: Instant
    ) -> Answer {
        let range = piece.offset / pieceElements
        guard piece.offset % pieceElements == 0, range < ranges else { return .nonsense }
        // Several pupils may wait for the same range; who was to have it may be gone.
        let open = pupils.flatMap { pupil in
            pupil.value.requests.map { (pupil: pupil.key, request: $0) }
        }
        let answered = open.filter {
            $0.request.donor == donor && $0.request.range == range
                && piece.content.answers($0.request.subject, step: piece.step)
        }
        guard let (id, request) = answered.min(by: { $0.request.number < $1.request.number })
        else { return .unwanted }
        pupils[id]?.requests.removeAll { $0.number == request.number }
        guard fits(piece, range, committed: committed) else { return .nonsense }
        switch piece.content {
        // What the total would have brought forward has to come whole.
        case .nothing:
            pupils[id]?.held[range] = -1
            return .useless(id)
        case .state: break
        case .total: guard pupils[id]?.held[range] == piece.step - 1 else { return .useless(id) }
        }
        pupils[id]?.held[range] = piece.step
        pupils[id]?.underWay += 1
        pupils[id]?.lastMovement = now
        return .handed(id)
    }

    private func fits(_ piece: StatePiece, _ range: Int, committed: Int) -> Bool {
        if case .nothing = piece.content { return true }
        return piece.step <= committed && piece.count == elements(ofRange: range)
    }

    /// A pupil has taken a piece; false if none was under way.
    mutating func taken(by id: PeerID, at now: Instant) -> Bool {
        guard let pupil = pupils[id], pupil.underWay > 0 else { return false }
        pupils[id]?.underWay -= 1
        pupils[id]?.lastMovement = now
        return true
    }

    /// A step that was skipped brings this pupil forward without a total; false if it has nothing
    /// that it would bring forward.
    mutating func pass(step: Int, _ id: PeerID) -> Bool {
        guard let held = pupils[id]?.held, held.contains(step - 1) else { return false }
        pupils[id]?.held = held.map { $0 == step - 1 ? step : $0 }
        return true
    }

    /// Whether all that a pupil has is of one step.
    func isWhole(_ id: PeerID, at step: Int) -> Bool {
        pupils[id]?.held.allSatisfy { $0 == step } ?? false
    }

    /// Pupils for whom the others are to wait now, at most so many.
    mutating func graduates(_ peers: Peers, committed: Int, room: Int) -> [PeerID] {
        var chosen: [PeerID] = []
        for peer in peers.inOrder {
            // Not before a step was voted on by those from whom it has learned.
            guard let pupil = pupils[peer.id], pupil.since < committed else { continue }
            let isReady = pupils[peer.id]?.isReady(committed: committed) ?? false
            if isReady && chosen.count < room { chosen.append(peer.id) }
        }
        return chosen
    }

    // MARK: waits

    /// A donor is gone: what it was asked for is to be asked of others.
    mutating func leave(_ donor: PeerID) {
        for id in pupils.keys { pupils[id]?.requests.removeAll { $0.donor == donor } }
    }

    /// Pupils that do not take what is sent and donors that do not answer, with the milliseconds of
    /// their silence.
    func stuck(_ peers: Peers, _ stall: Milliseconds, at now: Instant) -> [(PeerID, Int64)] {
        peers.inOrder.compactMap { peer in
            guard let pupil = pupils[peer.id] else { return nil }
            if pupil.underWay > 0 && pupil.lastMovement + stall < now {
                return (peer.id, now.milliseconds(since: pupil.lastMovement))
            }
            guard let late = pupil.requests.first(where: { $0.since + stall < now }) else {
                return nil
            }
            return (late.donor, now.milliseconds(since: late.since))
        }
    }

    /// Nobody is judged by the silence before this moment.
    mutating func excuse(at now: Instant) {
        for id in pupils.keys { pupils[id]?.excuse(at: now) }
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
