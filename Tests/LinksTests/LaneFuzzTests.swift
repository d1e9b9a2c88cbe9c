import FuzzKit
import Links
import Messaging
import Parameters
import Ring
import Testing
import Wire

/// Whatever a neighbour says of its memory, and writes into it, it is mapped as it is or refused.
@Suite struct LaneFuzzTests {
    /// What numbers of processes and descriptors, sizes and files may be.
    private static let fragments =
        Fuzzer.numbers + (0..<12).map { [$0, 0, 0, 0] } + [[0, 0, 0, 0, 1, 0, 0, 0], [0, 0x10]]

    @Test("offers of memory, and answers")
    func offers() throws {
        var fuzzer = Fuzzer("offers of memory", fragments: Self.fragments)
        let slots = 4
        let lane = try OutgoingLane(
            numbers: SharedMemory(byteCount: 4096, writable: false), slots: slots)
        let bell = try Bell()
        let offer = lane.offer(bell)
        let answers = [IncomingLane.acceptance(bell), IncomingLane.refusal("no room")]
        var mapped = 0
        var opened = 0
        for round in 0..<Fuzzer.rounds {
            let mutant = round % 16 == 0 ? offer : fuzzer.mutated(offer)
            if let found = try? IncomingLane(offer: mutant, slots: slots) {
                mapped += 1
                let count = found.numbers.byteCount
                #expect(found.numbers.bytes(0..<count)?.count == count)
                found.wakePredecessor()
            }
            let answer = answers[round % 2]
            if lane.open(round % 16 == 0 ? answer : fuzzer.mutated(answer)) == nil { opened += 1 }
        }
        #expect(mapped >= Fuzzer.rounds / 16 && opened > 0)
        bell.drain()
    }

    @Test("boards that the neighbour writes nonsense onto")
    func boards() throws {
        var fuzzer = Fuzzer("boards of a neighbour", fragments: Self.fragments)
        let board = try SharedMemory(byteCount: VectorBoard.byteCount, writable: false)
        let gradient = try SharedMemory(byteCount: 4096, writable: false)
        let generation = Generation(epoch: 1, counter: 2)
        let plan = try RingPlan(
            rank: 0, shardBounds: [0, 1, 2], count: 1000, chunkElements: 100, collective: .fold,
            inPlace: true)
        let own = ([ParameterVector(count: 1000)], ParameterVector(count: 1000))
        let place = gradient.handle
        var sound: [UInt8] = []
        func put<Value: FixedWidthInteger>(_ value: Value) {
            withUnsafeBytes(of: value) { sound += $0 }
        }
        put(7 as UInt64)
        put(generation.epoch)
        put(generation.counter)
        put(place.process)
        put(place.descriptor)
        put(place.device)
        put(place.inode)
        put(UInt64(place.byteCount))
        var neighbours = NeighbourVectors()
        var read = 0
        for round in 0..<Fuzzer.rounds {
            let mutant = round % 16 == 0 ? sound : Array(fuzzer.mutated(sound).prefix(64))
            // Of an odd step.
            let half = board.address + VectorBoard.byteCount / 2
            half.copyMemory(from: mutant, byteCount: mutant.count)
            // The total's place is the last.
            (board.address + VectorBoard.byteCount - 64).copyMemory(
                from: sound, byteCount: sound.count)
            if round % 8 == 0 { neighbours.nextGeneration(of: []) }
            let all = try? neighbours.all(
                plan, own: own, boards: [board.handle, board.handle], generation, step: 7)
            guard let all else { continue }
            read += 1
            #expect(all.gradients.count == 2 && all.totals.count == 2)
            for vector in [all.gradients[1], all.totals[1]] {
                #expect(vector.count == 1000 && vector[999] == 0)
            }
        }
        #expect(read >= Fuzzer.rounds / 16)
    }

    @Test("queues that the neighbour writes nonsense into")
    func queues() throws {
        var fuzzer = Fuzzer("queues of a neighbour")
        let slots = 4
        let bytes = SharedQueue.byteCount(slots: slots, frameBytes: FrameHeader.byteCount)
        let memory = try SharedMemory(byteCount: bytes, writable: true)
        let whole = UnsafeMutableRawBufferPointer(start: memory.address, count: bytes)
        var frame = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        var taken = 0
        var refused = 0
        var inputs = 0
        while inputs < Fuzzer.rounds {
            whole.initializeMemory(as: UInt8.self, repeating: 0)
            var ours = SharedQueue(
                at: memory.address, slots: slots, frameBytes: FrameHeader.byteCount)
            var theirs = ours
            for _ in 0..<10 {
                inputs += 1
                if fuzzer.chance(60) { _ = frame.withUnsafeBytes { theirs.put($0) } }
                if fuzzer.chance(30) {
                    let place = fuzzer.chance(50) ? 8 * fuzzer.number(0...1) : bytes - 1
                    whole[fuzzer.number(0...place)] = UInt8(fuzzer.number(0...255))
                }
                do throws(MessagingError) {
                    let isThere = try Self.take(&ours, &frame)
                    if isThere { taken += 1 }
                } catch {
                    refused += 1
                    break
                }
            }
            _ = theirs.mustWake()
        }
        #expect(taken > 0 && refused > 0)
    }

    private static func take(
        _ queue: inout SharedQueue, _ frame: inout [UInt8]
    ) throws(MessagingError) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: frame.count, alignment: 8)
        defer { buffer.deallocate() }
        guard try queue.take(into: buffer) else { return false }
        frame = Array(buffer)
        _ = try? FrameHeader(UnsafeRawBufferPointer(buffer))
        return true
    }
}
