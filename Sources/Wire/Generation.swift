/// One arrangement of the ring: who is a member, in which order, with which shards.
///
/// Frames and votes of another generation than the current one are dropped and counted.
package struct Generation: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// Counts the coordinator's incarnations on a run folder.
    package var epoch: UInt32 = 0
    /// Counts the arrangements within an epoch, from 1.
    package var counter: UInt32 = 0

    /// Makes the generation of an epoch and a counter.
    package init(epoch: UInt32, counter: UInt32) {
        self.epoch = epoch
        self.counter = counter
    }

    /// Returns whether `left` was drawn before `right`.
    package static func < (left: Generation, right: Generation) -> Bool {
        (left.epoch, left.counter) < (right.epoch, right.counter)
    }

    /// `EPOCH.COUNTER`.
    package var description: String { "\(epoch).\(counter)" }
}

extension Generation: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.integer(&epoch, "epoch")
        try coder.integer(&counter, "generation")
    }
}
