/// Successors that no stream could be made to, though frames reached them over ZeroMQ: something on the
/// way is against it. For some generations none is tried again, so that not each waits in vain.
package struct FailedStreams {
    package static let pause = 8

    private var generation = 0
    /// By endpoint, the last generation without a stream.
    private var pauses: [String: Int] = [:]

    package init() {}

    package mutating func nextGeneration() {
        generation += 1
        pauses = pauses.filter { $0.value >= generation }
    }

    package mutating func note(_ endpoint: String) { pauses[endpoint] = generation + Self.pause }

    package func contains(_ endpoint: String) -> Bool { pauses[endpoint] != nil }
}
