/// The way in which the workers' gradients become one total.
package enum Collective: String, Sendable, Codable, CaseIterable {
    /// Left fold in shard order along the ring: the bits do not depend on the number of workers.
    case fold
    /// Reduce-scatter and all-gather over W segments, each begun by another worker: fewer bytes a
    /// link, but the order of the sum depends on W.
    case ring

    /// Bytes of numbers that the busiest link of a step carries, where sums travel. Of two workers
    /// each link carries partials alone or totals alone, of more some carry both.
    package func linkBytes(elements: Int, workers: Int, wire: WireFormat) -> Int {
        let once = wire.byteCount(elements)
        switch (workers, self) {
        case (...1, _): return 0
        case (2, _): return once
        case (_, .fold): return 2 * once
        case (_, .ring): return Int(2 * Double(once) * Double(workers - 1) / Double(workers))
        }
    }
}

/// The reason that a ring cannot be planned.
package enum RingPlanError: Error, Equatable, Sendable {
    /// Bounds must begin at 0 and rise: every worker owns a shard.
    case shardBounds([Int])
    case rank(Int, workers: Int)
    case count(Int)
    case chunkElements(Int)
    case tooManyChunks(Int)
}

/// The order in which workers add to the elements of the vector: the same for a whole generation.
///
/// The vector is cut into segments (one for the fold, W for the textbook ring), a segment into
/// chunks, counted from its end: the backward pass finishes the vector from its end. The sum of a
/// segment begins at one worker (position 0) and ends W−1 links on; the total goes W−1 links
/// further. Worker w owns the shards `shardBounds[w]..<shardBounds[w + 1]`.
///
/// A fold in place is for workers that read each other's gradients where they lie: partials say
/// only that those who have passed them on are ready, and the last of them sums the chunk over all
/// shards, in shard order. Its W segments take turns, chunk by chunk, so that all sum at once.
///
/// Source of the textbook ring: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for
/// clusters of workstations", J. Parallel Distrib. Comput. 69 (2009), section 4.
package struct RingPlan: Sendable, Equatable {
    /// This worker's place in the ring, from 0.
    package let rank: Int
    /// The first shard of each worker, and the number of shards at the end: one more than workers.
    package let shardBounds: [Int]
    /// Elements of the vector.
    package let count: Int
    /// Elements of a chunk; the one at the vector's or segment's end may have fewer.
    package let chunkElements: Int
    /// The way in which gradients become a total.
    package let collective: Collective
    /// Sums are made by one worker each, of all gradients where they lie; a fold's alone.
    package let isInPlace: Bool
    /// Chunks and segments are cut where this divides the index.
    private let alignment: Int
    /// Index of each segment's first chunk, and the number of chunks at the end.
    package let chunkBounds: [Int]

    /// - Parameter wire: chunks of formats that share numbers between elements are cut between
    ///   those, so that another cut gives the same bits.
    package init(
        rank: Int, shardBounds: [Int], count: Int, chunkElements: Int, collective: Collective,
        wire: WireFormat = .f32, inPlace: Bool = false
    ) throws(RingPlanError) {
        precondition(!inPlace || collective == .fold, "a \(collective) in place")
        guard shardBounds.count >= 2, shardBounds[0] == 0,
            zip(shardBounds, shardBounds.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw .shardBounds(shardBounds) }
        let workers = shardBounds.count - 1
        guard rank >= 0, rank < workers else { throw .rank(rank, workers: workers) }
        guard count >= 0 else { throw .count(count) }
        guard chunkElements > 0, chunkElements <= 1 << 28 else {
            throw .chunkElements(chunkElements)
        }
        self.rank = rank
        self.shardBounds = shardBounds
        self.count = count
        let alignment = wire.alignment
        let chunkElements = (chunkElements + alignment - 1) / alignment * alignment
        self.alignment = alignment
        self.chunkElements = chunkElements
        self.collective = collective
        isInPlace = inPlace
        let segments = collective == .fold && !inPlace ? 1 : workers
        let chunks = (count + chunkElements - 1) / chunkElements
        var bounds = [0]
        for segment in 0..<segments {
            let length = Self.segment(
                segment, of: segments, count: count, alignment: alignment
            ).count
            let own =
                inPlace
                ? (chunks - segment + segments - 1) / segments
                : (length + chunkElements - 1) / chunkElements
            bounds.append(bounds[segment] + own)
        }
        guard bounds[segments] <= Int(Int32.max) else { throw .tooManyChunks(bounds[segments]) }
        chunkBounds = bounds
    }

    /// Number of workers in the ring.
    package var workers: Int { shardBounds.count - 1 }
    /// Number of shards of a batch.
    package var shards: Int { shardBounds[workers] }
    /// Number of segments: one for a fold, W for a fold in place and for the textbook ring.
    package var segments: Int { chunkBounds.count - 1 }
    /// Number of chunks of all segments.
    package var chunks: Int { chunkBounds[segments] }
    /// The shards whose gradients this worker adds.
    package var own: Range<Int> { shardBounds[rank]..<shardBounds[rank + 1] }

    // MARK: Segments

    private static func segment(
        _ segment: Int, of segments: Int, count: Int, alignment: Int
    ) -> Range<Int> {
        func bound(_ index: Int) -> Int {
            index == segments ? count : count * index / segments / alignment * alignment
        }
        return bound(segment)..<bound(segment + 1)
    }

    /// The elements of a segment that is in one piece.
    package func elements(ofSegment segment: Int) -> Range<Int> {
        precondition(!isInPlace, "segments of a fold in place are not in one piece")
        return Self.segment(segment, of: segments, count: count, alignment: alignment)
    }

    /// Rank of the worker with which a segment's sum begins.
    package func start(ofSegment segment: Int) -> Int {
        segments == 1 ? 0 : (segment + 1) % workers
    }

    /// Rank of the worker that completes a segment's sum.
    package func end(ofSegment segment: Int) -> Int {
        (start(ofSegment: segment) + workers - 1) % workers
    }

    /// This worker's place in a segment's sum: 0 begins it, W−1 completes it.
    package func position(inSegment segment: Int) -> Int {
        (rank - start(ofSegment: segment) + workers) % workers
    }

    /// The shards that a partial sum covers when `position` workers have added theirs.
    package func interval(ofSegment segment: Int, positions: Int) -> ShardInterval {
        let start = start(ofSegment: segment)
        var covered = 0
        for position in 0..<positions {
            let worker = (start + position) % workers
            covered += shardBounds[worker + 1] - shardBounds[worker]
        }
        return ShardInterval(from: shardBounds[start], to: shardBounds[start] + covered)
    }

    /// The shards that every total covers: all.
    package var whole: ShardInterval { ShardInterval(from: 0, to: shards) }

    // MARK: Chunks

    /// Returns the segment that a chunk, from 0 to `chunks` − 1, lies in.
    package func segment(ofChunk chunk: Int) -> Int {
        precondition(chunk >= 0 && chunk < chunks, "chunk \(chunk) of \(chunks)")
        var segment = 0
        while chunkBounds[segment + 1] <= chunk { segment += 1 }
        return segment
    }

    /// The elements of a chunk: the segment's chunks are counted from its end.
    package func elements(ofChunk chunk: Int) -> Range<Int> {
        let segment = segment(ofChunk: chunk)
        if isInPlace {
            let fromEnd = (chunk - chunkBounds[segment]) * segments + segment
            let lower = (chunks - 1 - fromEnd) * chunkElements
            return lower..<min(lower + chunkElements, count)
        }
        let elements = elements(ofSegment: segment)
        let fromStart = chunkBounds[segment + 1] - 1 - chunk
        let lower = elements.lowerBound + fromStart * chunkElements
        return lower..<min(lower + chunkElements, elements.upperBound)
    }
}

/// Shards summed in order, `from..<to`; beyond the last shard it goes on with the first.
package struct ShardInterval: Hashable, Sendable, CustomStringConvertible {
    /// The first shard of the sum.
    package var from: Int
    /// The shard behind the last; above the number of shards where the sum goes on with the first.
    package var to: Int

    /// Makes an interval of its ends.
    package init(from: Int, to: Int) {
        self.from = from
        self.to = to
    }

    /// The interval as mathematics writes it: `[0,8)`.
    package var description: String { "[\(from),\(to))" }
}
