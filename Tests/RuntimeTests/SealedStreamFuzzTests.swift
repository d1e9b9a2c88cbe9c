import FuzzKit
import Messaging
import Ring
import Runtime
import Testing

/// What lies between two ends of a sealed stream sees nothing and changes nothing.
@Suite struct SealedStreamFuzzTests {
    /// The bytes of three frames as they are on their way, and where each record of theirs ends.
    private static func sealed(_ ends: Ends) throws -> (bytes: [UInt8], ends: [Int]) {
        let writer = FrameWriter(ends.here, ends.seals.here?.outgoing, slots: 4)
        let numbers = [UInt8](repeating: 0x41, count: 400)
        numbers.withUnsafeBytes { bytes in
            for chunk in 1...3 { #expect(writer.put(header(chunk, numbers), bytes)) }
        }
        #expect(try writer.flush() && writer.isEmpty)
        let (size, tag) = (FrameHeader.byteCount, StreamSeal.tagBytes)
        let bytes = try ends.there.receive(atMost: 10_000)
        try #require(bytes.count == 3 * (size + tag + 400 + tag))
        let lengths = [0, size + tag, 400 + tag, size + tag, 400 + tag, size + tag]
        return (bytes, lengths.indices.map { lengths[...$0].reduce(0, +) })
    }

    /// Frames that a reader takes out of `bytes`; a refusal is an error.
    private static func read(_ bytes: [UInt8], _ ends: Ends) throws -> Int {
        #expect(try ends.here.send(bytes) == bytes.count)
        let reader = FrameReader(ends.there, ends.seals.there?.incoming, limit: 400)
        var count = 0
        while try reader.next() != nil {
            #expect(reader.numbers.allSatisfy { $0 == 0x41 })
            count += 1
        }
        return count
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
        for place in 0..<96 + 416 {
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
        let reader = FrameReader(ends.here, ends.seals.here?.incoming, limit: 400)
        #expect(throws: StreamFailure.self) { try reader.next() }
    }

    @Test("sealed streams")
    func seals() throws {
        var fuzzer = Fuzzer("sealed streams")
        var refused = 0
        for _ in 0..<Fuzzer.rounds / 50 {
            let ends = try Ends(isSealed: true)
            let bytes = fuzzer.mutated(try Self.sealed(ends).bytes)
            do { #expect(try Self.read(bytes, ends) <= 3) } catch { refused += 1 }
        }
        #expect(refused > 0)
    }
}
