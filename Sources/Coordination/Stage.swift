/// The event that a run is waiting for.
enum Stage: Hashable, Sendable {
    /// Enough workers.
    case waiting
    /// These members to hold the committed state.
    case restoring(Set<PeerID>)
    /// These members to find their neighbours.
    case forming(Set<PeerID>)
    /// The votes of all members on `step`.
    case stepping(step: Int, since: Instant)
    /// The losses of a held-out batch.
    case evaluating(batch: Int)
    /// The last checkpoint.
    case saving
    case finished

    var isForming: Bool { if case .forming = self { true } else { false } }

    /// Whether a broken link holds the stage up.
    var needsRing: Bool {
        switch self {
        case .forming, .stepping: true
        default: false
        }
    }

    /// What observers call it.
    var phase: PhaseSpan.Phase {
        switch self {
        case .waiting: .gathering
        case .restoring: .restoring
        case .forming: .forming
        case .stepping: .step
        case .evaluating: .evaluate
        case .saving, .finished: .saving
        }
    }

    /// The step that is under way.
    var step: Int? { if case .stepping(let step, _) = self { step } else { nil } }
}
