import Checkpoint
import Foundation
import Testing

@Suite struct SafetensorsWritingTests {
    static let entries = [
        TensorShape(name: "embedding.weight", shape: [3, 2]),
        TensorShape(name: "odd \"name\"\\\u{1}é", shape: []),
        TensorShape(name: "empty", shape: [0, 4]),
        TensorShape(name: "bias", shape: [2]),
    ]

    @Test("what is written in pieces is read back, tensor by tensor and as one stream")
    func roundTrip() throws {
        let folder = TemporaryFolder()
        let values = (0..<9).map { Float($0) / 7 }
        let writer = try SafetensorsWriter(
            path: folder("a"), entries: Self.entries, metadata: ["step": "3", "kind": "l\n\"m"])
        try values.withUnsafeBytes { bytes in
            for cut in stride(from: 0, to: bytes.count, by: 5) {
                try writer.append(
                    UnsafeRawBufferPointer(rebasing: bytes[cut..<min(cut + 5, bytes.count)]))
            }
        }
        let summary = try writer.finish()
        let bytes = folder.read("a")
        #expect(summary.bytes == bytes.count && summary.digest == SHA256.digest(bytes))
        #expect(summary.dataDigest == SHA256.digest(Array(bytes.suffix(36))))

        let file = try SafetensorsFile(folder("a"))
        #expect(file.metadata == ["step": "3", "kind": "l\n\"m"])
        #expect(Set(file.tensors.map(\.name)) == Set(Self.entries.map(\.name)))
        #expect(file.dataRegion.lowerBound % 8 == 0)
        #expect(try file.floats("embedding.weight") == Array(values[0..<6]))
        #expect(try file.floats(Self.entries[1].name) == [values[6]])
        #expect(try file.floats("empty") == [])
        #expect(try file.floats("bias") == Array(values[7...]))
        #expect(try file.withBytes("bias") { Array($0) } == Array(bytes.suffix(8)))
        var streamed: [UInt8] = []
        try file.stream(chunk: 7) { (offset, piece) throws(CheckpointError) in
            #expect(offset == streamed.count)
            streamed += piece
        }
        #expect(streamed == Array(bytes.suffix(36)))
    }

    @Test("too many bytes and too few are refused")
    func wrongLength() throws {
        let folder = TemporaryFolder()
        let writer = try SafetensorsWriter(path: folder("a"), entries: Self.entries)
        #expect(throws: CheckpointError.wrongLength(path: folder("a"), expected: 36, found: 0)) {
            try writer.finish()
        }
        #expect(throws: CheckpointError.wrongLength(path: folder("a"), expected: 36, found: 40)) {
            try [UInt8](repeating: 0, count: 40).withUnsafeBytes { try writer.append($0) }
        }
    }

    @Test("the digest is that of FIPS 180-4, whatever the pieces")
    func knownDigests() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(SHA256.digest(Array("abc".utf8)) == abc)
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(SHA256.digest([]) == empty)
        let hash = SHA256()
        for byte in Array("abc".utf8) { [byte].withUnsafeBytes { hash.update($0) } }
        #expect(hash.finish() == abc)
        #expect(hash.finish() == empty)
    }
}
