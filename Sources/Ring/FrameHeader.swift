import Parameters
import Wire

/// The reason that bytes are no frame of the ring.
package enum FrameError: Error, Hashable, Sendable {
    case truncated(Int)
    case foreignMagic
    case otherVersion(Int)
    case unknownKind(Int)
    case unknownPlace(Int)
    /// A field has a value that no sender writes.
    case malformed
    /// The payload has another length than the header says.
    case payload(bytes: Int, elements: Int)
    case checksum
}

/// The header before the numbers in each message between neighbours: 80 bytes, little-endian.
///
///     0 checksum u64: low word of XXH3-128 over the header from byte 8 on
///     8 magic u32 · 12 version u16 · 14 kind u8 · 15 place and format of the numbers u4, u4
///     16 run u64 · 24 epoch u32 · 28 counter u32 · 32 step u64
///     40 chunk u32 · 44 elements u32 · 48 from u32 · 52 to u32
///     56 partials u32 · 60 totals u32
///     64 XXH3-128 of the numbers, or of what is attached: low u64, high u64
///
/// Fields that a kind does not use are 0.
package struct FrameHeader: Equatable, Sendable {
    /// The chunk that a partial or a total is of.
    package struct Piece: Equatable, Sendable {
        /// Index in the plan.
        package var chunk: Int
        /// Number of float32 that follow.
        package var elements: Int
        /// The shards that its sum covers.
        package var shards: ShardInterval

        /// Makes a piece of its parts; a frame is refused unless it has elements and shards.
        package init(chunk: Int, elements: Int, shards: ShardInterval) {
            self.chunk = chunk
            self.elements = elements
            self.shards = shards
        }
    }

    /// The kinds of frames, with what each says beside run, generation and step.
    package enum Body: Equatable, Sendable {
        /// A sum on its way to the last shard.
        case partial(Piece)
        /// The sum of all shards on its way around.
        case total(Piece)
        /// Backwards: how many of each were taken off the link in this step.
        case credit(partials: Int, totals: Int)
        /// The first frame on a new link: the sender's rank and the fingerprint of its plan.
        case greeting(rank: Int, plan: UInt64)
        /// The successor's answer, once it is in the same generation.
        case answer(rank: Int, plan: UInt64)
        /// Backwards: what lies in shared memory of this step and those before is not read any
        /// more.
        case released
    }

    /// The place of a partial's or total's numbers.
    package enum Place: UInt8, Sendable {
        /// The numbers are behind the header.
        case frame = 0
        /// In the chunk's place in the sender's total vector, which the receiver maps; in a fold in
        /// place, in that of the worker that has made the total.
        case memory = 1
        /// In the gradients of the workers that a partial covers, each for itself: nothing is added
        /// yet.
        case gradients = 2
    }

    /// The run's number; frames of another are dropped.
    package var run: UInt64
    /// The ring that the frame belongs to.
    package var generation: Generation
    /// 0 in greetings and answers.
    package var step: UInt64
    /// The kind of the frame, and what it says.
    package var body: Body
    /// The place of the numbers; behind the header unless set otherwise.
    package var place = Place.frame
    /// The format of the numbers behind the header.
    package var format = WireFormat.f32
    /// Digest of the numbers; `seal` fills it in when they are behind the header.
    package var digest = FastDigest(high: 0, low: 0)
    /// Bytes behind a greeting or an answer.
    package var attachedBytes = 0

    /// Makes a header with its numbers, if any, behind it as float32.
    package init(run: UInt64, generation: Generation, step: UInt64, body: Body) {
        self.run = run
        self.generation = generation
        self.step = step
        self.body = body
    }

    /// Length of a header, in bytes.
    package static let byteCount = 80
    static let magic: UInt32 = 0x4652_5444  // "DTRF"
    /// The version of this layout; frames of another are refused.
    package static let version: UInt16 = 3
    private static let checksummedFrom = 8

    /// Bytes of the whole frame.
    package var frameBytes: Int { Self.byteCount + payloadBytes }

    /// Bytes behind the header.
    package var payloadBytes: Int {
        (place == .frame ? format.byteCount(elements) : 0) + attachedBytes
    }

    private var elements: Int {
        switch body {
        case .partial(let piece), .total(let piece): piece.elements
        default: 0
        }
    }

    /// The checksum of a header, over all but its own eight bytes.
    private static func checksum(_ frame: UnsafeRawBufferPointer) -> UInt64 {
        FastDigest(block: UnsafeRawBufferPointer(rebasing: frame[checksummedFrom..<byteCount])).low
    }
}

// MARK: - Writing

extension FrameHeader {
    /// Writes the header before what is already in place behind it, digests and checksum included.
    ///
    /// `frame` holds `frameBytes` bytes.
    package func seal(_ frame: UnsafeMutableRawBufferPointer) {
        precondition(frame.count == frameBytes, "\(frame.count) bytes, not \(frameBytes)")
        let digest =
            payloadBytes == 0
            ? digest
            : FastDigest(block: UnsafeRawBufferPointer(rebasing: frame[Self.byteCount...]))
        write(frame, digest)
    }

    /// Writes the header alone, before numbers whose digest it holds already.
    ///
    /// `frame` may end with the header.
    package func sealHeader(_ frame: UnsafeMutableRawBufferPointer) {
        precondition(
            frame.count == frameBytes || frame.count == Self.byteCount,
            "\(frame.count) bytes, not \(frameBytes)")
        write(frame, digest)
    }

    private func write(_ frame: UnsafeMutableRawBufferPointer, _ digest: FastDigest) {
        func put<Value: FixedWidthInteger>(_ value: Value, _ offset: Int) {
            frame.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
        }
        put(Self.magic, 8)
        put(Self.version, 12)
        put(kind, 14)
        put(place.rawValue | format.code << 4, 15)
        put(run, 16)
        put(generation.epoch, 24)
        put(generation.counter, 28)
        put(step, 32)
        let words = words
        for index in words.indices { put(words[index], 40 + 4 * index) }
        put(digest.low, 64)
        put(digest.high, 72)
        put(Self.checksum(UnsafeRawBufferPointer(frame)), 0)
    }

    /// A frame without numbers, whole, with what is attached.
    package func sealed(attaching attached: [UInt8] = []) -> [UInt8] {
        var header = self
        header.attachedBytes = attached.count
        var frame = [UInt8](repeating: 0, count: Self.byteCount) + attached
        frame.withUnsafeMutableBytes { header.seal($0) }
        return frame
    }

    private var kind: UInt8 {
        switch body {
        case .partial: 1
        case .total: 2
        case .credit: 3
        case .greeting: 4
        case .answer: 5
        case .released: 6
        }
    }

    private var words: InlineArray<6, UInt32> {
        switch body {
        case .partial(let piece), .total(let piece):
            [
                UInt32(piece.chunk), UInt32(piece.elements), UInt32(piece.shards.from),
                UInt32(piece.shards.to), 0, 0,
            ]
        case .credit(let partials, let totals):
            [0, 0, 0, 0, UInt32(partials), UInt32(totals)]
        case .greeting(let rank, let plan), .answer(let rank, let plan):
            [
                UInt32(truncatingIfNeeded: plan), UInt32(truncatingIfNeeded: plan >> 32),
                UInt32(rank), UInt32(attachedBytes), 0, 0,
            ]
        case .released: [0, 0, 0, 0, 0, 0]
        }
    }
}

// MARK: - Reading

extension FrameHeader {
    /// Reads the header of a whole frame; the numbers are the bytes from `byteCount` on.
    ///
    /// - Throws: what is wrong with it; then nothing in it may be believed. Numbers that lie
    ///   elsewhere are not looked at.
    package init(_ frame: UnsafeRawBufferPointer) throws(FrameError) {
        try self.init(leading: frame)
        guard frame.count == frameBytes else {
            throw .payload(bytes: frame.count - Self.byteCount, elements: elements)
        }
        guard payloadBytes > 0 else { return }
        let payload = UnsafeRawBufferPointer(rebasing: frame[Self.byteCount...])
        guard FastDigest(block: payload) == digest else { throw .checksum }
    }

    /// Reads the header at the beginning of some bytes; what is behind it is not looked at.
    package init(leading frame: UnsafeRawBufferPointer) throws(FrameError) {
        guard frame.count >= Self.byteCount else { throw .truncated(frame.count) }
        func word(_ offset: Int) -> Int {
            Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
        func long(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        guard word(8) == Self.magic else { throw .foreignMagic }
        let version = word(12) & 0xFFFF
        guard version == Self.version else { throw .otherVersion(version) }
        guard Self.checksum(frame) == long(0) else { throw .checksum }
        guard let place = Place(rawValue: frame[15] & 15),
            let format = WireFormat(code: frame[15] >> 4)
        else { throw .unknownPlace(Int(frame[15])) }
        let words: InlineArray<6, Int> = [
            word(40), word(44), word(48), word(52), word(56), word(60),
        ]
        let kind = frame[14]
        self.init(
            run: long(16),
            generation: Generation(epoch: UInt32(word(24)), counter: UInt32(word(28))),
            step: long(32), body: try Self.body(kind: kind, words, plan: long(40)))
        self.place = place
        self.format = format
        digest = FastDigest(high: long(72), low: long(64))
        attachedBytes = kind == 4 || kind == 5 ? words[3] : 0
        guard elements > 0 || (place == .frame && format == .f32) else { throw .malformed }
    }

    private static func body(
        kind: UInt8, _ words: InlineArray<6, Int>, plan: UInt64
    ) throws(FrameError) -> Body {
        switch kind {
        case 1, 2:
            guard words[1] > 0, words[2] < words[3], words[4] == 0, words[5] == 0 else {
                throw .malformed
            }
            let piece = Piece(
                chunk: words[0], elements: words[1],
                shards: ShardInterval(from: words[2], to: words[3]))
            return kind == 1 ? .partial(piece) : .total(piece)
        case 3:
            guard words[0] == 0, words[1] == 0, words[2] == 0, words[3] == 0 else {
                throw .malformed
            }
            return .credit(partials: words[4], totals: words[5])
        case 4, 5:
            guard words[4] == 0, words[5] == 0 else { throw .malformed }
            return kind == 4
                ? .greeting(rank: words[2], plan: plan) : .answer(rank: words[2], plan: plan)
        case 6:
            guard (0..<6).allSatisfy({ words[$0] == 0 }) else { throw .malformed }
            return .released
        default:
            throw .unknownKind(Int(kind))
        }
    }
}
