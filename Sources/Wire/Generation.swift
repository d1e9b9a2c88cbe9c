/// One arrangement of the ring: who is a member, in which order, with which shards.
///
/// `epoch` counts the coordinator's incarnations on a run folder, `counter` the arrangements within
/// one. Frames and votes of another generation than the current one are dropped and counted.
package struct Generation: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var epoch: UInt32
    package var counter: UInt32

    package init(epoch: UInt32, counter: UInt32) {
        self.epoch = epoch
        self.counter = counter
    }

    package static func < (left: Generation, right: Generation) -> Bool {
        (left.epoch, left.counter) < (right.epoch, right.counter)
    }

    package var description: String { "\(epoch).\(counter)" }
}
