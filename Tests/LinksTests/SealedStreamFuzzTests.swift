import FuzzKit
import Links
import Messaging
import Ring
import Testing

/// What lies between two ends of a sealed stream sees nothing and changes nothing.
@Suite struct SealedStreamFuzzTests {
    /// Bytes of a frame's numbers.
    private static let count = 80

    /// The bytes of three frames as they are on their way, and where each record of theirs ends.
    private static func sealed(_ ends: Ends) throws -> (bytes: [UInt8], ends: [Int]) {
        let writer = FrameWriter(ends.here, ends.seals.here?.outgoing, slots: 4)
        let numbers = [UInt8](repeating: 0x41, count: count)
        numbers.withUnsafeBytes { bytes in
            for chunk in 1...3 { #expect(writer.put(header(chunk, numbers), bytes)) }
        }
        #expect(try writer.flush() && writer.isEmpty)
        let (size, tag) = (FrameHeader.byteCount, StreamSeal.tagBytes)
        let bytes = try ends.there.receive(atMost: 10_000)
        try #require(bytes.count == 3 * (size + tag + count + tag))
        let lengths = [0, size + tag, count + tag, size + tag, count + tag, size + tag]
        return (bytes, lengths.indices.map { lengths[...$0].reduce(0, +) })
    }

    /// Frames that a reader takes out of `bytes`; a refusal is an error.
    private static func read(_ bytes: [UInt8], _ ends: Ends) throws -> Int {
        #expect(try ends.here.send(bytes) == bytes.count)
        let reader = FrameReader(ends.there, ends.seals.there?.incoming, limit: Self.count)
        var frames = 0
        while try reader.next() != nil {
            #expect(reader.numbers.allSatisfy { $0 == 0x41 })
            frames += 1
        }
        return frames
    }

    @Test func `who listens sees no header and no numbers`() throws {
        let (bytes, _) = try Self.sealed(Ends(isSealed: true))
        for plain in [Array("DTRF".utf8), [UInt8](repeating: 0x41, count: 6)] {
            #expect(bytes.firstRange(of: plain) == nil)
        }
        #expect(try Self.sealed(Ends(isSealed: true)).bytes != bytes, "the same keys twice")
        let ends = try Ends(isSealed: true)
        #expect(try Self.read(Self.sealed(ends).bytes, ends) == 3)
    }

    @Test func `every bit that is altered on its way is noticed`() throws {
        for place in 0..<FrameHeader.byteCount + Self.count + 2 * StreamSeal.tagBytes {
            let ends = try Ends(isSealed: true)
            var (bytes, _) = try Self.sealed(ends)
            bytes[place] ^= 1 << (place % 8)
            do {
                Issue.record("\(try Self.read(bytes, ends)) frames, byte \(place) altered")
            } catch StreamFailure.altered {}
        }
    }

    @Test func `records that are left out, repeated, exchanged or of another stream are noticed`()
        throws
    {
        func altered(_ change: (_ bytes: [UInt8], _ ends: [Int]) throws -> [UInt8]) throws {
            let ends = try Ends(isSealed: true)
            let (bytes, places) = try Self.sealed(ends)
            let other = try change(bytes, places)
            #expect(throws: StreamFailure.self) { try Self.read(other, ends) }
        }
        try altered { bytes, ends in Array(bytes[ends[2]...]) }
        try altered { bytes, ends in Array(bytes[..<ends[2]]) + bytes }
        try altered { bytes, ends in
            Array(bytes[ends[2]..<ends[4]]) + bytes[..<ends[2]] + bytes[ends[4]...]
        }
        try altered { _, _ in try Self.sealed(Ends(isSealed: true)).bytes }
        // What one side has sent does not pass for what the other sends.
        let ends = try Ends(isSealed: true)
        let (bytes, _) = try Self.sealed(ends)
        #expect(try ends.there.send(bytes) == bytes.count)
        let reader = FrameReader(ends.here, ends.seals.here?.incoming, limit: Self.count)
        #expect(throws: StreamFailure.self) { try reader.next() }
    }

    @Test("sealed streams")
    func seals() throws {
        var fuzzer = Fuzzer("sealed streams")
        var ends = try Ends(isSealed: true)
        var refused = 0
        for _ in 0..<Fuzzer.rounds {
            ends.sealAnew(&fuzzer)
            let (bytes, places) = try Self.sealed(ends)
            let altered = fuzzer.mutated(bytes)
            let intact = Fuzzer.intact(bytes, altered)
            let reader = FrameReader(ends.there, ends.seals.there?.incoming, limit: Self.count)
            var frames = 0
            let failure = try Self.pass(altered, ends, reader, &fuzzer) { _ in
                #expect(reader.numbers.allSatisfy { $0 == 0x41 })
                frames += 1
            }
            // All before the first altered byte, and nothing behind it.
            #expect([places[2], places[4], bytes.count].count { $0 <= intact } == frames)
            if failure != nil { refused += 1 }
        }
        #expect(refused > Fuzzer.rounds / 2)
    }

    @Test("streams in plain text")
    func streams() throws {
        var fuzzer = Fuzzer("streams in plain text")
        let ends = try Ends()
        let size = FrameHeader.byteCount
        var delivered = 0
        var refused = 0
        for _ in 0..<Fuzzer.rounds {
            var bytes: [UInt8] = []
            for _ in 0..<fuzzer.number(1...3) {
                let numbers = [UInt8](repeating: 5, count: 4 * fuzzer.number(0...110))
                var frame = [UInt8](repeating: 0, count: size)
                frame.withUnsafeMutableBytes { header(1, numbers).sealHeader($0) }
                // Its checksum put right, to reach what comes after it.
                if fuzzer.chance(40) {
                    frame = mendedFrame(Array(fuzzer.mutated(frame).prefix(size)))
                }
                bytes += frame + numbers
            }
            if fuzzer.chance(20) { bytes = fuzzer.mutated(bytes) }
            let reader = FrameReader(ends.there, limit: 400)
            var place = 0
            let failure = try Self.pass(bytes, ends, reader, &fuzzer) { frame in
                delivered += 1
                let sent = bytes[place..<min(bytes.count, place + frame.frameBytes)]
                let read = try sent.withUnsafeBytes { try FrameHeader(leading: $0) }
                #expect(read == frame && frame.payloadBytes <= 400)
                #expect(reader.numbers.elementsEqual(sent.dropFirst(size)))
                place += frame.frameBytes
            }
            if failure != nil { refused += 1 }
        }
        #expect(delivered > Fuzzer.rounds / 4 && refused > Fuzzer.rounds / 4)
    }

    /// Sends `bytes` in two parts and takes what there is after each; the stream is empty then.
    ///
    /// - Returns: why nothing more could be read, if so.
    private static func pass(
        _ bytes: [UInt8], _ ends: Ends, _ reader: FrameReader, _ fuzzer: inout Fuzzer,
        each: (FrameHeader) throws -> Void
    ) throws -> StreamFailure? {
        let cut = fuzzer.number(0...bytes.count)
        var failure: StreamFailure?
        for part in [bytes[..<cut], bytes[cut...]] where failure == nil {
            #expect(try ends.here.send(Array(part)) == part.count)
            do {
                while let frame = try reader.next() { try each(frame) }
            } catch let error as StreamFailure {
                failure = error
            }
        }
        while try !ends.there.receive(atMost: 10_000).isEmpty {}
        return failure
    }
}
