/// Successors that no stream could be made to, though frames reached them over ZeroMQ: something on
/// the way is against it. For some generations none is tried again, so that not each waits in vain.
package struct FailedStreams {
    /// Number of generations in which a successor is not tried again.
    package static let pause = 8

    private var generation = 0
    /// The last generation without a stream, by endpoint.
    private var pauses: [String: Int] = [:]

    /// Knows no failure yet.
    package init() {}

    /// Counts a generation, and forgets failures whose pause is over; called whenever a ring is
    /// formed.
    package mutating func nextGeneration() {
        generation += 1
        pauses = pauses.filter { $0.value >= generation }
    }

    /// Takes note that no stream came about to the successor at an endpoint.
    package mutating func note(_ endpoint: String) { pauses[endpoint] = generation + Self.pause }

    /// Whether streams to an endpoint are not to be tried in this generation.
    package func contains(_ endpoint: String) -> Bool { pauses[endpoint] != nil }
}
