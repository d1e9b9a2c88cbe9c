/// The carrier of a ring's sums from worker to worker.
package enum Transport: String, Sendable, Codable, CaseIterable {
    /// Shared memory within a host, tcp between hosts.
    case auto
    /// Sums are folded where they lie; what goes over ipc are greetings, and everything where the
    /// memory can't be shared.
    case shared
    case ipc
    case tcp
}
