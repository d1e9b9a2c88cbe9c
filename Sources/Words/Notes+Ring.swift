import Coordination
import Wire

/// What a worker says of its ring, naming the neighbours that it is about.
package func sentence(
    of fault: RingFault, by worker: NamedWorker, _ neighbours: [NamedWorker]
) -> String {
    let one = "worker \(worker.name) on \(worker.host)"
    let others = neighbours.map { "\($0.name) on \($0.host)" }.joined(separator: " and ")
    let detail = fault.detail.isEmpty ? "" : " (\(fault.detail))"
    return switch fault.kind {
    case .lost: "\(one) has lost its ring link to \(others)"
    case .absent: "\(one) did not find \(others) when the ring was formed"
    case .refused: "\(one) is not let in by \(others), whose ring link it needs\(detail)"
    case .disagreement: "\(one) and \(others) do not have the same ring in mind"
    case .violation: "\(one) was sent what makes no sense by \(others)\(detail)"
    case .own: "\(one) cannot take part in the ring\(detail)"
    case .apart:
        "\(one) and the others of its host cannot read each other's gradients\(detail): if nobody has "
            + "gone, sums travel instead"
    }
}
