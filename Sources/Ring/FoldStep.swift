import Parameters
import Wire

/// One step's fold on one worker with its numbers, as a value: frames in, frames out.
///
/// It judges frames and adds numbers, in the order that `Fold` says. It owns no socket, clock or
/// thread: who owns the links gives it what came, and moves what it returns.
package struct FoldStep {
    /// The order of the chunks, and what is known of them.
    package private(set) var fold: Fold
    private var numbers: StepNumbers
    private let wire: WireFormat
    private let rounding: StochasticRounding
    private let ways: FoldWays
    private let room: FoldRoom
    /// What a fold in place reads, once the first sum is due.
    private var vectors: (all: ChunkSum, totals: [ParameterVector])?
    /// Digests by chunk: of a partial that waits in the predecessor's memory, later of the total.
    private var digests: [FastDigest?]
    /// A chunk whose total the successor has been told of, and which is not copied yet.
    private var announced: Int?

    /// A frame that came in: its header, and the bytes behind it.
    struct Frame {
        let header: FrameHeader
        let numbers: UnsafeRawBufferPointer
        let isChecked: Bool
    }

    init(
        _ fold: Fold, gradients: [ParameterVector], total: ParameterVector,
        rounding: StochasticRounding, ways: FoldWays, room: FoldRoom
    ) {
        precondition(
            fold.plan.own.count == gradients.count,
            "\(gradients.count) gradients for shards \(fold.plan.own)")
        self.fold = fold
        self.rounding = rounding
        self.ways = ways
        self.room = room
        wire = rounding.format
        numbers = StepNumbers(
            gradients: gradients, total: total, blocks: room.blocks(of: total.byteCount),
            firstShard: fold.plan.own.lowerBound, rounding: rounding)
        digests = Array(repeating: nil, count: fold.plan.chunks)
    }

    private var plan: RingPlan { fold.plan }

    /// All own gradients are final from `element` on.
    mutating func ready(downTo element: Int) { fold.localReady(downTo: element) }

    /// Judges a frame, and does what there is to do about its numbers.
    mutating func receive(_ frame: Frame, from neighbour: Neighbour) -> FoldOutcome {
        do throws(FoldFault) {
            _ = try takeAnnounced()
            switch fold.receive(frame.header, from: neighbour) {
            case .act(let action): return try perform(action, frame)
            case .noted: return .taken
            case .early: return .early
            case .drop(let reason): return .dropped(reason)
            case .broken(let violation): return .broken(.violation(neighbour, violation))
            }
        } catch {
            return .broken(error)
        }
    }

    /// Does the next thing that needs no frame; nil if there is none until more happens.
    mutating func next() -> FoldOutcome? {
        do throws(FoldFault) {
            if try takeAnnounced() { return .taken }
            guard let action = fold.next() else { return nil }
            return try perform(action, nil)
        } catch {
            return .broken(error)
        }
    }

    // MARK: Actions

    private mutating func perform(
        _ action: FoldAction, _ frame: Frame?
    ) throws(FoldFault) -> FoldOutcome {
        switch action {
        case .park(let chunk):
            try park(chunk, frame!)
            return .taken
        case .passOn(let chunk, _) where plan.isInPlace:
            return .send(Carry(fold.partialHeader(chunk: chunk)))
        case .passOn(let chunk, let base): return .send(try passOn(chunk, base, frame))
        case .finish(let chunk, _, let forward) where plan.isInPlace:
            digests[chunk] = numbers.finish(
                plan.elements(ofChunk: chunk), of: try readable().all)
            return forward ? .send(total(chunk)) : .taken
        case .finish(let chunk, let base, let forward):
            let operand = try operand(chunk, base, frame)
            guard let digest = numbers.finish(plan.elements(ofChunk: chunk), onto: operand) else {
                throw .violation(.predecessor, .frame(.checksum))
            }
            digests[chunk] = digest
            return forward ? .send(total(chunk)) : .taken
        case .store(let chunk, let forward) where plan.isInPlace:
            digests[chunk] = frame!.header.digest
            announced = chunk
            if forward { return .send(total(chunk)) }
            _ = try takeAnnounced()
            return .taken
        case .store(let chunk, let forward):
            let operand = try operand(chunk, .frame, frame)!
            guard let digest = numbers.store(operand, plan.elements(ofChunk: chunk)) else {
                throw .violation(.predecessor, .frame(.checksum))
            }
            digests[chunk] = digest
            return forward ? .send(total(chunk)) : .taken
        case .forward(let chunk): return .send(total(chunk))
        case .grant(let partials, let totals):
            return .reply(fold.creditHeader(partials: partials, totals: totals))
        case .complete:
            return .complete(numbers.digest(), checksumSeconds: numbers.checksumSeconds)
        }
    }

    /// Keeps a partial that can't be added to yet. What came in a frame moves to where its total
    /// will land; what lies in the predecessor's memory stays there.
    private mutating func park(_ chunk: Int, _ frame: Frame) throws(FoldFault) {
        switch frame.header.place {
        case .gradients: return
        case .memory:
            digests[chunk] = frame.header.digest
            return
        case .frame: break
        }
        let operand = try operand(chunk, .frame, frame)!
        guard numbers.park(operand, plan.elements(ofChunk: chunk)) else {
            throw .violation(.predecessor, .frame(.checksum))
        }
    }

    private mutating func passOn(
        _ chunk: Int, _ base: FoldAction.Base, _ frame: Frame?
    ) throws(FoldFault) -> Carry {
        let range = plan.elements(ofChunk: chunk)
        let operand = try operand(chunk, base, frame)
        var header = fold.partialHeader(chunk: chunk)
        if operand == nil, !ways.sendsByMemory, let own = numbers.only(range) {
            // Nothing is added: it can go from where it lies.
            header.digest = own.digest
            return Carry(header, own.bytes)
        }
        let place = numbers.place(of: range)
        guard let digest = numbers.add(range, onto: operand, into: place) else {
            throw .violation(.predecessor, .frame(.checksum))
        }
        header.digest = digest
        return carry(header, UnsafeRawBufferPointer(place))
    }

    private func total(_ chunk: Int) -> Carry {
        var header = fold.totalHeader(chunk: chunk)
        header.digest = digests[chunk]!
        return carry(
            header, UnsafeRawBufferPointer(numbers.place(of: plan.elements(ofChunk: chunk))))
    }

    private func carry(_ header: FrameHeader, _ floats: UnsafeRawBufferPointer) -> Carry {
        var header = header
        guard !ways.sendsByMemory else {
            header.place = .memory
            return Carry(header)
        }
        header.format = wire
        return Carry(header, floats)
    }

    // MARK: What own gradients are added to

    /// Returns the numbers that own gradients are added to; nil if there are none.
    private func operand(
        _ chunk: Int, _ base: FoldAction.Base, _ frame: Frame?
    ) throws(FoldFault) -> ChunkOperand? {
        let range = plan.elements(ofChunk: chunk)
        switch base {
        case .nothing: return nil
        case .frame where frame!.header.place == .frame: return try behind(frame!, range.count)
        case .frame: return try inMemory(chunk, range, frame!.header.digest)
        case .parked:
            guard let parked = digests[chunk] else {
                return ChunkOperand(checked: UnsafeRawBufferPointer(numbers.place(of: range)))
            }
            return try inMemory(chunk, range, parked)
        }
    }

    /// The numbers as they lie in the predecessor's total vector.
    private func inMemory(
        _ chunk: Int, _ range: Range<Int>, _ digest: FastDigest
    ) throws(FoldFault) -> ChunkOperand {
        guard let vector = ways.predecessor, range.upperBound <= vector.count else {
            throw .violation(.predecessor, .elsewhere(chunk: chunk))
        }
        let bytes = UnsafeRawBufferPointer(
            start: vector.unsafeAddress + range.lowerBound, count: 4 * range.count)
        return ChunkOperand(bytes, checkedBy: digest)
    }

    /// The numbers behind a header, read out of their format.
    private func behind(_ frame: Frame, _ count: Int) throws(FoldFault) -> ChunkOperand {
        let (header, bytes) = (frame.header, frame.numbers)
        guard header.format == wire, bytes.count == wire.byteCount(count) else {
            throw .violation(.predecessor, .frame(.malformed))
        }
        guard wire != .f32 else {
            return frame.isChecked
                ? ChunkOperand(checked: bytes, digest: header.digest)
                : ChunkOperand(bytes, checkedBy: header.digest)
        }
        guard frame.isChecked || FastDigest(block: bytes) == header.digest else {
            throw .violation(.predecessor, .frame(.checksum))
        }
        let floats = room.floats(count)
        wire.decode(bytes, into: floats)
        return ChunkOperand(checked: UnsafeRawBufferPointer(floats))
    }

    // MARK: In place

    /// Copies the total that was announced last from where it was made; false if there is none.
    ///
    /// The next worker hears of it first. Its maker writes there again when all have begun the next
    /// step, which nobody does before he has taken this one's.
    private mutating func takeAnnounced() throws(FoldFault) -> Bool {
        guard let chunk = announced else { return false }
        announced = nil
        let range = plan.elements(ofChunk: chunk)
        let end = plan.end(ofSegment: plan.segment(ofChunk: chunk))
        let maker = try readable().totals[end]
        let bytes = UnsafeRawBufferPointer(
            start: maker.unsafeAddress + range.lowerBound, count: 4 * range.count)
        guard numbers.store(ChunkOperand(bytes, checkedBy: digests[chunk]!), range) != nil else {
            // Its maker may be no neighbour; sums that travel are checked link by link.
            throw .apart(reason: "what place \(end + 1) has summed is not what it said")
        }
        return true
    }

    private mutating func readable() throws(FoldFault) -> (
        all: ChunkSum, totals: [ParameterVector]
    ) {
        if let vectors { return vectors }
        guard let all = try ways.all?() else { throw .apart(reason: "nothing can be read") }
        let vectors = (all: ChunkSum(all.gradients, rounding: rounding), totals: all.totals)
        self.vectors = vectors
        return vectors
    }
}

/// Memory that the steps of a generation use one after another.
final class FoldRoom {
    private var blocks: FastDigest.Blocks?
    /// Numbers that came in another format than float32.
    private var decoded = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 64)

    deinit { decoded.deallocate() }

    /// Storage for the digest of a total.
    func blocks(of byteCount: Int) -> FastDigest.Blocks {
        if let blocks, blocks.byteCount == byteCount { return blocks }
        let new = FastDigest.Blocks(byteCount: byteCount, blockBytes: StepNumbers.blockBytes)
        blocks = new
        return new
    }

    /// Room for so many numbers, until it is asked for again.
    func floats(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if decoded.count < 4 * count {
            decoded.deallocate()
            decoded = .allocate(byteCount: 4 * count, alignment: 64)
        }
        return UnsafeMutableRawBufferPointer(rebasing: decoded[..<(4 * count)])
    }
}
