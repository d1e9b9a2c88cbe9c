import Wire

/// The meaning of a frame that came in.
package enum Reception: Equatable, Sendable {
    /// Do this with the frame, now.
    case act(FoldAction)
    /// A credit; nothing to do but to ask for the next action.
    case noted
    /// A neighbour is ahead: keep the frame and give it to that step's fold.
    case early
    /// Count it and go on.
    case drop(DropReason)
    /// The link or the neighbour is at fault; nothing of this generation can be trusted to end.
    case broken(Violation)
}

/// The side a frame came from.
package enum Neighbour: String, Sendable, Codable {
    case predecessor
    case successor
}

extension Fold {
    /// Judges a frame whose checksum is right.
    package mutating func receive(_ header: FrameHeader, from neighbour: Neighbour) -> Reception {
        guard header.run == run else { return .drop(.otherRun) }
        guard header.generation == generation else { return .drop(.otherGeneration) }
        guard header.step <= step else { return .early }
        guard header.step == step else {
            // The last credits of a step come when it needs them no longer.
            switch header.body {
            case .credit, .released: return .noted
            default: break
            }
            return .drop(.staleStep)
        }
        switch (header.body, neighbour) {
        case (.credit(let partials, let totals), .successor):
            return taken(partials: partials, totals: totals)
        case (.partial(let piece), .predecessor):
            return receive(partial: piece, header.place)
        case (.total(let piece), .predecessor):
            return receive(total: piece, header.place)
        default:
            return .drop(.misdirected)
        }
    }

    private mutating func receive(
        partial piece: FrameHeader.Piece, _ place: FrameHeader.Place
    ) -> Reception {
        guard (place == .gradients) == plan.isInPlace else { return .broken(.frame(.malformed)) }
        guard piece.chunk < plan.chunks else {
            return .broken(.chunk(piece.chunk, chunks: plan.chunks))
        }
        let segment = plan.segment(ofChunk: piece.chunk)
        let progress = segments[segment]
        guard progress.position > 0 else { return .broken(.position(chunk: piece.chunk)) }
        let expected = plan.interval(ofSegment: segment, positions: progress.position)
        if let violation = check(piece, summing: expected) { return .broken(violation) }
        let next = progress.first + progress.received
        guard piece.chunk >= next else { return .drop(.duplicate) }
        guard piece.chunk == next else {
            return .broken(.gap(chunk: piece.chunk, expected: next))
        }
        return .act(take(partial: piece.chunk, in: segment))
    }

    private mutating func receive(
        total piece: FrameHeader.Piece, _ place: FrameHeader.Place
    ) -> Reception {
        guard place != .gradients else { return .broken(.frame(.malformed)) }
        guard piece.chunk < plan.chunks else {
            return .broken(.chunk(piece.chunk, chunks: plan.chunks))
        }
        let segment = plan.segment(ofChunk: piece.chunk)
        let progress = segments[segment]
        guard progress.position < last else { return .broken(.position(chunk: piece.chunk)) }
        if let violation = check(piece, summing: plan.whole) { return .broken(violation) }
        let next = progress.first + progress.known
        guard piece.chunk >= next else { return .drop(.duplicate) }
        guard piece.chunk == next else {
            return .broken(.gap(chunk: piece.chunk, expected: next))
        }
        guard progress.known < progress.added else {
            return .broken(.premature(chunk: piece.chunk))
        }
        return .act(take(total: piece.chunk, in: segment))
    }

    private func check(
        _ piece: FrameHeader.Piece, summing expected: ShardInterval
    ) -> Violation? {
        guard piece.shards == expected else { return .interval(piece.shards, expected: expected) }
        let elements = plan.elements(ofChunk: piece.chunk).count
        guard piece.elements == elements else {
            return .elements(piece.elements, expected: elements)
        }
        return nil
    }

    // MARK: Headers of what is sent

    /// The header of a partial that this worker has added to.
    package func partialHeader(chunk: Int) -> FrameHeader {
        let segment = plan.segment(ofChunk: chunk)
        let shards = plan.interval(
            ofSegment: segment, positions: segments[segment].position + 1)
        var header = header(.partial(piece(chunk, shards)))
        if plan.isInPlace { header.place = .gradients }
        return header
    }

    /// The header of a chunk's total, which covers all shards.
    package func totalHeader(chunk: Int) -> FrameHeader {
        header(.total(piece(chunk, plan.whole)))
    }

    /// The header that tells the predecessor how many of its frames were taken in this step.
    package func creditHeader(partials: Int, totals: Int) -> FrameHeader {
        header(.credit(partials: partials, totals: totals))
    }

    private func piece(_ chunk: Int, _ shards: ShardInterval) -> FrameHeader.Piece {
        FrameHeader.Piece(
            chunk: chunk, elements: plan.elements(ofChunk: chunk).count, shards: shards)
    }

    private func header(_ body: FrameHeader.Body) -> FrameHeader {
        FrameHeader(run: run, generation: generation, step: step, body: body)
    }
}
