import Foundation
import Glibc
import Links
import Messaging
import Parameters
import Ring
import TestKit
import Testing
import Wire

/// Two ends of a unix stream, made through a door and its invitation; and seals as a door makes them.
struct Ends {
    let here: Messaging.Stream
    let there: Messaging.Stream
    private(set) var seals: (here: StreamSeals?, there: StreamSeals?)

    init(isSealed: Bool = false) throws {
        let doorway = try Doorway(isSealed: false)
        let entrance = try doorway.entrance()
        here = entrance.stream
        there = try doorway.meet(entrance).stream
        guard isSealed else { return }
        var dice = SystemRandomNumberGenerator()
        sealAnew(&dice)
    }

    /// Other keys than before, as a new stream has them.
    mutating func sealAnew(_ dice: inout some RandomNumberGenerator) {
        let secret = [UInt8](repeating: 7, count: 32)
        let words: InlineArray<4, UInt64> = [dice.next(), dice.next(), dice.next(), dice.next()]
        let salt = withUnsafeBytes(of: words) { Array($0) }
        seals = (
            StreamSeals(secret: secret, salt: salt, connecting: true),
            StreamSeals(secret: secret, salt: salt, connecting: false)
        )
    }
}

private func below(_ dice: inout Dice, _ count: Int) -> Int {
    Int.random(in: 0..<count, using: &dice)
}

func header(_ chunk: Int, _ numbers: [UInt8]) -> FrameHeader {
    var header = FrameHeader(
        run: 1, generation: Generation(epoch: 1, counter: 1), step: 1,
        body: numbers.isEmpty
            ? .credit(partials: chunk, totals: 0)
            : .partial(
                .init(
                    chunk: chunk, elements: numbers.count / 4,
                    shards: ShardInterval(from: 0, to: 1))))
    if !numbers.isEmpty { header.digest = numbers.withUnsafeBytes { FastDigest(block: $0) } }
    return header
}

@Suite struct RingStreamTests {
    @Test(arguments: [false, true])
    func `frames of any size arrive whole, however the kernel cuts them`(isSealed: Bool) throws {
        var dice = Dice(seed: 5)
        let ends = try Ends(isSealed: isSealed)
        let writer = FrameWriter(ends.here, ends.seals.here?.outgoing, slots: 7)
        let reader = FrameReader(ends.there, ends.seals.there?.incoming, limit: 1 << 18)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { memory.deallocate() }
        for index in memory.indices { memory[index] = UInt8(truncatingIfNeeded: index &* 31 >> 3) }
        var waiting: [(FrameHeader, UnsafeRawBufferPointer)] = []
        var sent = 0
        var received = 0
        while received < 400 {
            if sent < 400, waiting.count < 30, below(&dice, 2) == 0 {
                let count = [0, 4, 80, 4096, 1 << 18][below(&dice, 5)]
                let start = 4 * below(&dice, (memory.count - count) / 4 + 1)
                let numbers = UnsafeRawBufferPointer(rebasing: memory[start..<start + count])
                let frame = header(sent + 1, Array(numbers))
                if writer.put(frame, numbers) {
                    waiting.append((frame, numbers))
                    sent += 1
                }
            }
            if below(&dice, 3) == 0 { _ = try writer.flush() }
            guard below(&dice, 3) == 0, let frame = try reader.next() else { continue }
            let (expected, numbers) = waiting.removeFirst()
            try #require(frame == expected)
            try #require(reader.numbers.elementsEqual(numbers))
            received += 1
        }
        #expect(writer.isEmpty)
    }

    @Test func `frames that wait no longer need their sender's memory once they are kept`() throws {
        let ends = try Ends()
        let writer = FrameWriter(ends.here, slots: 8)
        let reader = FrameReader(ends.there, limit: 1 << 18)
        var numbers = [UInt8](repeating: 3, count: 1 << 18)
        let frame = header(1, numbers)
        try numbers.withUnsafeMutableBytes { bytes in
            for _ in 0..<8 { #expect(writer.put(frame, .init(bytes))) }
            #expect(!writer.put(frame, .init(bytes)), "all slots are taken")
            _ = try writer.flush()
            #expect(!writer.isEmpty, "the kernel takes everything")
            writer.keep()
            bytes.initializeMemory(as: UInt8.self, repeating: 9)
        }
        for _ in 0..<8 {
            var next = try reader.next()
            while next == nil {
                _ = try writer.flush()
                next = try reader.next()
            }
            #expect(reader.numbers.allSatisfy { $0 == 3 })
        }
    }

    @Test func `a header that is damaged in any byte is refused, and no length above the limit`()
        throws
    {
        let numbers = [UInt8](repeating: 1, count: 64)
        let whole = UnsafeMutableRawBufferPointer.allocate(
            byteCount: FrameHeader.byteCount + 64, alignment: 8)
        defer { whole.deallocate() }
        for damaged in 0..<FrameHeader.byteCount {
            whole[FrameHeader.byteCount...].copyBytes(from: numbers)
            header(1, numbers).sealHeader(whole)
            whole[damaged] ^= 1 << (damaged % 8)
            let ends = try Ends()
            #expect(try ends.here.send(Array(whole)) == whole.count)
            let reader = FrameReader(ends.there, limit: 64)
            #expect(throws: StreamFailure.self) { _ = try reader.next() }
        }
        header(1, numbers).sealHeader(whole)
        let ends = try Ends()
        #expect(try ends.here.send(Array(whole)) == whole.count)
        let reader = FrameReader(ends.there, limit: 63)
        #expect(throws: StreamFailure.self) { _ = try reader.next() }
    }

    @Test func `any bytes at all give frames or a refusal`() throws {
        var dice = Dice(seed: 77)
        for _ in 0..<200 {
            let ends = try Ends()
            let reader = FrameReader(ends.there, limit: 256)
            var bytes: [UInt8] = []
            for _ in 0..<below(&dice, 6) {
                let numbers = [UInt8](repeating: 5, count: 4 * below(&dice, 30))
                bytes += Array(repeating: 0, count: FrameHeader.byteCount)
                let start = bytes.count - FrameHeader.byteCount
                let frame = header(1, numbers)
                bytes.withUnsafeMutableBytes { frame.sealHeader(.init(rebasing: $0[start...])) }
                bytes += numbers
            }
            bytes += (0..<below(&dice, 200)).map { _ in UInt8(below(&dice, 256)) }
            if !bytes.isEmpty { _ = try ends.here.send(bytes) }
            do throws(StreamFailure) {
                while let frame = try reader.next() { #expect(frame.payloadBytes <= 256) }
            } catch {
                guard case .frame = error else { throw error }
            }
        }
    }

    @Test func `no invitation is believed`() {
        var dice = Dice(seed: 3)
        for count in 0..<60 {
            // A name of a unix socket, or a port, or nonsense.
            var bytes = (0..<count).map { _ in UInt8(below(&dice, 256)) }
            for index in bytes.indices.prefix(2) { bytes[index] = 0 }
            #expect(throws: (any Error).self) {
                _ = try StreamEntrance(
                    bytes, "ipc://x", isSealed: count % 2 == 0, deadline: .now)
            }
        }
    }
}
