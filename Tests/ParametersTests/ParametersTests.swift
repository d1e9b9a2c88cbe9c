import Parameters
import Synchronization
import Testing

@Suite struct LayoutTests {
    @Test func `slots lie end to end in the order given`() throws {
        let layout = ParameterLayout([("embedding.weight", [5, 3]), ("norm.bias", [3])])
        #expect(layout.count == 18)
        #expect(layout.slots.map(\.offset) == [0, 15])
        let bias = try #require(layout["norm.bias"])
        #expect(bias == Slot(name: "norm.bias", shape: [3], offset: 15))
        #expect(bias.range == 15..<18)
        #expect(layout["norm.weight"] == nil)
    }
}

@Suite struct VectorTests {
    @Test func `a new vector is zero and aligned to 64 bytes`() {
        for count in [0, 1, 1000, 300_000] {
            let vector = ParameterVector(count: count)
            #expect(vector.floats() == [Float](repeating: 0, count: count))
            #expect(UInt(bitPattern: vector.unsafeAddress) % 64 == 0)
        }
    }

    @Test func `stored bytes come back wherever they lay`() {
        let vector = ParameterVector(count: 10)
        let floats: [Float] = [1.5, -2]
        let bytes: [UInt8] = [0xFF] + floats.withUnsafeBytes { Array($0) }
        bytes.withUnsafeBytes { vector.store(bytes: .init(rebasing: $0[1...]), at: 7) }
        #expect(vector.floats() == [0, 0, 0, 0, 0, 0, 0, 1.5, -2, 0])
        #expect(vector.withBytes(7..<9) { Array($0) } == Array(bytes[1...]))
        let other = ParameterVector(count: 10)
        other.copy(from: vector)
        #expect(other.floats() == vector.floats())
        other.fill(3)
        other.copy(8..<10, from: vector)
        #expect(other.floats(6..<10) == [3, 3, -2, 0])
    }

    @Test func `memory of somebody else is released once when nobody holds the vector`() {
        let released = Atomic(0)
        do {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
            let floats = memory.initializeMemory(as: Float.self, repeating: 4, count: 16)
            nonisolated(unsafe) let owned = memory
            let vector = ParameterVector(memory: floats, count: 16) {
                owned.deallocate()
                released.add(1, ordering: .relaxed)
            }
            #expect(vector[15] == 4)
            #expect(released.load(ordering: .relaxed) == 0)
        }
        #expect(released.load(ordering: .relaxed) == 1)
    }
}

@Suite struct FastDigestTests {
    /// Counting numbers over two blocks and a bit.
    private func sample() -> ParameterVector {
        let count = 2 * FastDigest.blockBytes / 4 + 1001
        let vector = ParameterVector(count: count)
        vector.withMutableFloats { floats in
            for index in 0..<count { floats[index] = Float(index) }
        }
        return vector
    }

    @Test func `a block's digest is XXH3-128 as its authors define it`() {
        let digest = Array("abc".utf8).withUnsafeBytes { FastDigest(block: $0) }
        #expect(digest.description == "06b05ab6733a618578af5f94892f3950")
    }

    @Test func `every bit, the order and the length count`() {
        let vector = sample()
        let digest = FastDigest(vector)
        #expect(FastDigest(sample()) == digest)
        for place in [0, FastDigest.blockBytes / 4, vector.count - 1] {
            let old = vector[place]
            vector[place] = old.nextUp
            #expect(FastDigest(vector) != digest)
            vector[place] = old
        }
        #expect(FastDigest(vector) == digest)
        let shorter = vector.withBytes(0..<vector.count - 1) { FastDigest($0) }
        #expect(shorter != digest)
        let zeros = ParameterVector(count: 8)
        let lengths = (0...8).map { count in zeros.withBytes(0..<count) { FastDigest($0) } }
        #expect(Set(lengths).count == 9)
        #expect(FastDigest(combining: [digest, shorter]) != .init(combining: [shorter, digest]))
    }

    /// Anywhere: among eight at a time or behind them, in the first block or the last.
    @Test func `whatever bits a processor gives to NaN, the digest is the same`() {
        let vector = sample()
        let digest = FastDigest(vector)
        for place in [0, 33, FastDigest.blockBytes / 4 - 1, vector.count - 9, vector.count - 1] {
            let old = vector[place]
            let digests = [
                Float.nan, -Float.nan, Float(nan: 5, signaling: false),
                -Float(nan: 9, signaling: false),
            ].map { number in
                vector[place] = number
                let raw = vector.withBytes(0..<vector.count) { FastDigest($0) }
                let blocks = FastDigest.Blocks(byteCount: vector.byteCount)
                for block in 0..<blocks.count {
                    let bytes = blocks.bytes(of: block)
                    let known = vector.withBytes(bytes.lowerBound / 4..<bytes.upperBound / 4) {
                        FastDigest(block: $0)
                    }
                    blocks.set(block, known, of: vector)
                }
                #expect(blocks.digest() == FastDigest(vector))
                return (FastDigest(vector), raw)
            }
            #expect(Set(digests.map(\.0)).count == 1 && Set(digests.map(\.1)).count == 4)
            #expect(digests[0].0 == digests[0].1 && digests[0].0 != digest)
            vector[place] = old
        }
        vector[5] = .infinity
        #expect(FastDigest(vector) == vector.withBytes(0..<vector.count) { FastDigest($0) })
    }

    @Test func `blocks may be set in any order on any threads, step after step`() async {
        let vector = sample()
        let blocks = FastDigest.Blocks(byteCount: vector.byteCount)
        #expect(blocks.count == 3)
        for _ in 0..<2 {
            await withTaskGroup(of: Void.self) { group in
                for block in [2, 0, 1] {
                    group.addTask { blocks.set(block..<block + 1, of: vector) }
                }
            }
            #expect(blocks.isComplete)
            #expect(blocks.digest() == FastDigest(vector))
            blocks.reset()
            #expect(!blocks.isComplete)
        }
    }
}
