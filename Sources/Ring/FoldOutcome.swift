import Parameters

/// A frame for the successor, and the numbers that go with it.
package struct Carry {
    /// The frame's header; it has the digest of the numbers once those are as they travel.
    package private(set) var header: FrameHeader
    private let floats: UnsafeRawBufferPointer

    /// - Parameter floats: float32 that stay where they are until the step ends; none for a header
    ///   alone.
    init(_ header: FrameHeader, _ floats: UnsafeRawBufferPointer = .init(start: nil, count: 0)) {
        self.header = header
        self.floats = floats
    }

    /// The bytes behind the header, as they lie in memory until the step ends; nil where `write`
    /// has to make them.
    package var numbers: UnsafeRawBufferPointer? { header.format == .f32 ? floats : nil }

    /// Writes the bytes behind the header, of which there are `header.payloadBytes`.
    package mutating func write(into room: UnsafeMutableRawBufferPointer) {
        // They have been rounded already: nothing is lost, here as with whoever wrote them first.
        header.format.encode(floats, into: room)
        if header.format != .f32 { header.digest = FastDigest(block: UnsafeRawBufferPointer(room)) }
    }
}

/// What the owner of a fold's links has to do.
package enum FoldOutcome {
    /// Nothing; it has been noted or computed.
    case taken
    /// Move this to the successor.
    case send(Carry)
    /// Move this header to the predecessor.
    case reply(FrameHeader)
    /// Keep the frame, and give it again once another step has begun or ended.
    case early
    /// Count it.
    case dropped(DropReason)
    /// The successor has read what lies in this worker's memory: another step may begin.
    case released
    /// Report the total, which is whole, with its digest, and the seconds that checksums of partials
    /// took. Nothing is left to send. Comes once a step, last.
    case complete(FastDigest, checksumSeconds: Double)
    /// Nothing of this generation can be trusted to end.
    case broken(FoldFault)
}

/// The reason that a fold cannot go on in this generation.
package enum FoldFault: Error, Equatable, Sendable {
    /// A neighbour sent what no sound one sends.
    case violation(Neighbour, Violation)
    /// What is to be read where it lies can't be, or is not what its maker said.
    case apart(reason: String)
}

/// The vectors of all workers of a step, as a fold in place reads them.
package struct FoldVectors {
    /// All gradients, by shard.
    package var gradients: [ParameterVector] = []
    /// All totals, by rank.
    package var totals: [ParameterVector] = []

    /// Makes room for none.
    package init() {}
}

/// The ways by which a step's numbers come and go beside frames.
package struct FoldWays {
    /// Sums lie in this worker's total vector, where the successor reads them.
    package var sendsByMemory = false
    /// The predecessor's total vector, if this worker can read it.
    package var predecessor: ParameterVector?
    /// Finds what a fold in place reads. Asked once, when the first sum is due.
    package var all: (() throws(FoldFault) -> FoldVectors)?

    /// All numbers in frames, unless said otherwise.
    package init() {}
}
