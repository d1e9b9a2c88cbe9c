/// What the coordinator says to a worker.
package enum CoordinatorMessage: Hashable, Sendable {
    /// The answer to a hello: the worker is let in.
    case welcome(Welcome)
    /// The answer to a hello: the worker is not let in.
    case refused(Refusal)
    /// What comes next, `initialise`, slices or pieces, replaces the state in memory.
    case newState(number: UInt32)
    /// The state that has arrived is the run's: it may be gone on from.
    case proven(step: Int)
    /// Draw θ from the run's seed; m and v are zero: the state before step 1.
    case initialise
    /// A piece of the state that the worker lacks.
    case slice(StateSlice)
    /// Copy θ, m, v as they are after `step` and stream the copy.
    case snapshot(step: Int)
    /// The slice that ended at `position` has been passed on; another may be sent.
    case sliceTaken(step: Int, position: Int)
    /// Stop streaming.
    case abandonSnapshot(step: Int)
    /// Give a piece to one who learns the state; answered by `piece`.
    case givePiece(PieceRequest)
    /// A piece of the state that is learned while training goes on.
    case piece(StatePiece)
    /// The step was skipped: what is there of the state before it is the state after it.
    case passStep(Int)
    /// Form a ring with these.
    case roster(Roster)
    /// Compute and fold a step.
    case step(StepOrder)
    /// A step stands: update.
    case commit(Commit)
    /// Compute losses of a held-out batch.
    case evaluate(EvaluationOrder)
    /// A sign of life.
    case heartbeat
    /// This connection is not counted (any more): make another and say hello.
    case sayHello
    /// The run's token from now on.
    case token(String)
    /// The run is over, or has ended for this worker: the last words.
    case finish(reason: String)

    /// The whole message in bytes.
    package var encoded: [UInt8] { sealed }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(unsealing: bytes) }
}

extension CoordinatorMessage: WireChoice {
    static let kinds = Kinds<Self>(
        .welcome(Welcome()), .refused(Refusal()), .newState(number: 0), .proven(step: 0),
        .initialise, .slice(StateSlice()), .snapshot(step: 0), .sliceTaken(step: 0, position: 0),
        .abandonSnapshot(step: 0), .givePiece(PieceRequest()), .piece(StatePiece()), .passStep(0),
        .roster(Roster()), .step(StepOrder()), .commit(Commit()), .evaluate(EvaluationOrder()),
        .heartbeat, .sayHello, .token(""), .finish(reason: ""))

    static func code<C: Coder>(
        _ message: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self) {
        switch message {
        case .welcome(let welcome): (65, .welcome(try coder.coded(welcome)))
        case .refused(let refusal): (66, .refused(try coder.coded(refusal)))
        case .initialise: (67, .initialise)
        case .slice(let slice): (68, .slice(try coder.coded(slice)))
        case .snapshot(let step): (69, .snapshot(step: try coder.step(step)))
        case .sliceTaken(let step, let position):
            (
                70,
                .sliceTaken(
                    step: try coder.step(step),
                    position: try coder.element(position, "position"))
            )
        case .abandonSnapshot(let step): (71, .abandonSnapshot(step: try coder.step(step)))
        case .roster(let roster): (72, .roster(try coder.coded(roster)))
        case .step(let order): (73, .step(try coder.coded(order)))
        case .commit(let commit): (74, .commit(try coder.coded(commit)))
        case .evaluate(let order): (75, .evaluate(try coder.coded(order)))
        case .heartbeat: (76, .heartbeat)
        case .finish(let reason): (77, .finish(reason: try coder.prose(reason, "reason")))
        case .sayHello: (78, .sayHello)
        case .givePiece(let request): (79, .givePiece(try coder.coded(request)))
        case .piece(let piece): (80, .piece(try coder.coded(piece)))
        case .passStep(let step): (81, .passStep(try coder.step(step)))
        case .newState(let number): (82, .newState(number: try coder.integer(number, "number")))
        case .proven(let step): (83, .proven(step: try coder.step(step)))
        case .token(let token): (84, .token(try coder.text(token, "token")))
        }
    }
}
