/// What a worker says to its coordinator.
package enum WorkerMessage: Hashable, Sendable {
    /// The first words on a connection.
    case hello(Hello)
    /// The model is built, and this is in memory. Also the answer to an order that does not fit
    /// what is there.
    case prepared(Holdings)
    /// θ, m and v that were sent, or drawn, since the `newState` of this number are whole in memory.
    case stateReady(HeldState, number: UInt32)
    /// The commit has been followed.
    case updated(Update)
    /// Both neighbours of the ring of `generation` have answered.
    case formed(Generation)
    /// A step is folded.
    case voted(Vote)
    /// The losses that an `evaluate` asked for.
    case evaluated(Evaluation)
    /// A sign of life.
    case heartbeat(Heartbeat)
    /// The copy of which slices follow: its digest, taken anew from memory.
    case captured(HeldState)
    /// A piece of a snapshot that the coordinator asked for.
    case slice(StateSlice)
    /// The slice that ended at `position` of all of θ, m, v has been stored.
    case sliceTaken(step: Int, position: Int)
    /// What a `givePiece` asked for.
    case piece(StatePiece)
    /// The piece at `offset` has been taken; another may be sent.
    case pieceTaken(offset: Int)
    /// Nothing more comes of the ring of this generation.
    case ringBroken(Generation, RingFault)
    /// The new token is kept; who says hello the next time may need it.
    case tokenTaken
    /// The last words on a connection.
    case leaving(reason: String)

    /// The whole message in bytes.
    package var encoded: [UInt8] { sealed }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(unsealing: bytes) }
}

extension WorkerMessage: WireChoice {
    static let kinds = Kinds<Self>(
        .hello(Hello()), .prepared(Holdings()), .stateReady(HeldState(), number: 0),
        .updated(Update()), .formed(Generation()), .voted(Vote()), .evaluated(Evaluation()),
        .heartbeat(Heartbeat()), .captured(HeldState()), .slice(StateSlice()),
        .sliceTaken(step: 0, position: 0), .piece(StatePiece()), .pieceTaken(offset: 0),
        .ringBroken(Generation(), RingFault()), .tokenTaken, .leaving(reason: ""))

    static func code<C: Coder>(
        _ message: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self) {
        switch message {
        case .hello(let hello): (1, .hello(try coder.coded(hello)))
        case .prepared(let holdings): (2, .prepared(try coder.coded(holdings)))
        case .stateReady(let held, let number):
            (
                3,
                .stateReady(
                    try coder.coded(held), number: try coder.integer(number, "number"))
            )
        case .formed(let generation): (4, .formed(try coder.coded(generation)))
        case .voted(let vote): (5, .voted(try coder.coded(vote)))
        case .evaluated(let evaluation): (6, .evaluated(try coder.coded(evaluation)))
        case .heartbeat(let heartbeat): (7, .heartbeat(try coder.coded(heartbeat)))
        case .slice(let slice): (8, .slice(try coder.coded(slice)))
        case .sliceTaken(let step, let position):
            (
                9,
                .sliceTaken(
                    step: try coder.step(step),
                    position: try coder.element(position, "position"))
            )
        case .ringBroken(let generation, let fault):
            (10, .ringBroken(try coder.coded(generation), try coder.coded(fault)))
        case .leaving(let reason): (11, .leaving(reason: try coder.prose(reason, "reason")))
        case .updated(let update): (12, .updated(try coder.coded(update)))
        case .piece(let piece): (13, .piece(try coder.coded(piece)))
        case .pieceTaken(let offset):
            (14, .pieceTaken(offset: try coder.element(offset, "offset")))
        case .captured(let held): (15, .captured(try coder.coded(held)))
        case .tokenTaken: (16, .tokenTaken)
        }
    }
}
