import Checkpoint
import Foundation
import Testing

@Suite struct SafetensorsReadingTests {
    static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Golden")

    @Test("the reference files of PyTorch open, and their tensors have the size of their shape")
    func referenceFiles() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.golden.path)
            .filter { $0.hasSuffix(".safetensors") }
        #expect(names.count == 12)
        for name in names {
            let file = try SafetensorsFile(Self.golden.appending(path: name).path)
            #expect(file.metadata["torch"] != nil)
            for tensor in file.tensors {
                let count = tensor.shape.reduce(1, *)
                #expect(tensor.count == count)
                switch tensor.dtype {
                case .float32:
                    let values = try file.floats(tensor.name)
                    #expect(values.count == count && values.allSatisfy(\.isFinite))
                case .int64: #expect(try file.int64s(tensor.name).count == count)
                default: Issue.record("\(tensor.name) has type \(tensor.dtype)")
                }
            }
        }
    }

    @Test("a name or a type that a file does not have is an error that names both")
    func wrongNames() throws {
        let path = Self.golden.appending(path: "lm-pre-gelu.safetensors").path
        let file = try SafetensorsFile(path)
        #expect(throws: CheckpointError.noTensor(path: path, name: "nothing")) {
            try file.floats("nothing")
        }
        #expect(throws: CheckpointError.tensorType(path: path, name: "tgt", found: .int64)) {
            try file.floats("tgt")
        }
    }
}
