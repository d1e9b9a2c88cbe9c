/// Limits that every decoder applies before it takes memory.
package enum WireLimit {
    /// Workers in one ring.
    package static let members = 4096
    /// Logical shards of a batch.
    package static let shards = 65_536
    /// Layers of a model.
    package static let layers = 4096
    /// Steps of a run: far from where counting on overflows.
    package static let steps = 1 << 53
    /// Elements of θ, m and v together.
    package static let elements = 1 << 48
    /// Token words of one shard.
    package static let shardWords = 1 << 24
    /// Seconds, thirty years: far from where counting their milliseconds overflows.
    package static let seconds = 1e9
    /// Nanoseconds of a moment on a worker's clock: as many seconds.
    package static let nanoseconds: Int64 = 1_000_000_000_000_000_000
    /// Bytes of numbers in a frame of the ring.
    package static let chunkBytes = 256 << 10
    /// Bytes a second of a link.
    package static let rate = 1e12
    /// Bytes of state in one slice.
    package static let sliceBytes = 1 << 20
    /// Elements of θ that one piece of a state covers.
    package static let pieceElements = 1 << 16
    /// Committed lines that a worker keeps.
    package static let lines = 4096
    /// Bytes of JSON that say how a run stands.
    package static let status = 1 << 22
    /// Bytes of a name, an endpoint, a reason.
    package static let text = 4096
    /// Bytes of the configuration of a run.
    package static let configuration = 1 << 20
    /// Bytes of one whole message to a worker.
    package static let message = 1 << 28
    /// Bytes of the public half of a key, if there is one.
    package static let key = 32

    /// Returns the bytes of one whole message to a coordinator: a slice, or a report about `shards`
    /// shards.
    ///
    /// Strangers may send so much before they have proven anything, so it is kept small.
    package static func report(shards: Int, layers: Int) -> Int {
        2 << 20 + shards * (64 + 32 * layers)
    }
}
