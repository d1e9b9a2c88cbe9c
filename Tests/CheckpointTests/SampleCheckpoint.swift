import Checkpoint
import Testing

/// A checkpoint small enough to write thousands of times, told apart by step and version.
struct SampleCheckpoint: Equatable {
    static let tensors = [
        TensorShape(name: "embedding.weight", shape: [4, 3]),
        TensorShape(name: "final.bias", shape: [5]),
    ]
    static let count = 17

    let step: Int
    var version = 0

    var values: [Float] { (0..<3 * Self.count).map { Float($0 + 1000 * step + 7 * version) / 3 } }
    var state: CheckpointState {
        CheckpointState(
            step: step, adamCount: step - 1, epoch: 2,
            more: ["seed": .integer(7), "note": .string("é/\n"), "rates": .array([.number(0.5)])])
    }
    var tokenizer: [UInt8] { Array("pieces \(step) \(version)".utf8) }
    var digest: String {
        values[..<Self.count].withUnsafeBytes { bytes in SHA256.digest(Array(bytes)) }
    }

    func writer(
        in shelf: String, operations: any FileOperations = SystemFileOperations()
    ) throws -> CheckpointWriter {
        try CheckpointWriter(
            in: shelf, state: state, tensors: Self.tensors, metadata: ["heads": "2"],
            tokenizer: tokenizer, operations: operations)
    }

    @discardableResult
    func write(
        in shelf: String, operations: any FileOperations = SystemFileOperations()
    ) throws -> CheckpointFolder {
        let writer = try writer(in: shelf, operations: operations)
        do {
            try values.withUnsafeBytes { bytes in
                for cut in stride(from: 0, to: bytes.count, by: 60) {
                    let piece = bytes[cut..<min(cut + 60, bytes.count)]
                    try writer.append(UnsafeRawBufferPointer(rebasing: piece))
                }
            }
            return try writer.commit()
        } catch {
            writer.abandon()
            throw error
        }
    }

    /// Checks that a checkpoint is this one, every value of it.
    func expect(_ checkpoint: CheckpointFolder) throws {
        #expect(checkpoint.step == step && checkpoint.digest == digest)
        #expect(checkpoint.state == state)
        #expect(try checkpoint.tokenizer() == tokenizer)
        var found: [Float] = []
        try checkpoint.read(tensors: Self.tensors, chunk: 4) {
            (section, element, bytes) throws(CheckpointError) in
            #expect(section.rawValue * Self.count + element == found.count)
            found += bytes.withMemoryRebound(to: Float.self) { Array($0) }
        }
        #expect(found == values)
    }
}
