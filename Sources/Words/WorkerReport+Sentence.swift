import Coordination
import Processes

extension WorkerReport {
    /// What is said of it; nil where there is nothing to say.
    package var sentence: String? {
        switch self {
        case .note(let note): Words.sentence(of: note)
        case .stillWaiting(let address, let seconds, let hindrance):
            "no coordinator at \(address) for \(seconds) s"
                + "\(hindrance.map { ": \(Words.sentence(of: $0))" } ?? ""), trying on"
        case .listening(let endpoint): "other workers find this one at \(Self.placed(endpoint))"
        case .relayed:
            "nobody connects here: gradients go through the coordinator, which is slower"
        case .moved(let bytes, let overTCP):
            "the ring has sent \(grouped(bytes)) bytes from here, \(grouped(overTCP)) of them over tcp"
        case .dump(let text): text
        case .turnedAway(let host, let reason, let more):
            Words.sentence(turnedAway: host, reason, more: more)
        case .fellBack(.memory, let reason):
            "no memory can be shared with the next worker, gradients go over ipc: \(reason)"
        case .fellBack(.stream, let reason):
            "no stream to the next worker can be opened for gradients, they go over ZeroMQ's "
                + "connection: \(reason)"
        case .ended: nil
        }
    }

    /// An endpoint as a person reads it.
    private static func placed(_ endpoint: String) -> String {
        let prefix = "tcp://*:"
        guard endpoint.hasPrefix(prefix) else { return endpoint }
        return "the coordinator's host, port \(endpoint.dropFirst(prefix.count))"
    }
}
