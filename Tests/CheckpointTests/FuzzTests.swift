import Checkpoint
import Foundation
import FuzzKit
import Testing

/// Whatever stands in a file, reading it ends in a value or an error.
@Suite struct FuzzTests {
    static let fragments = [
        "{", "}", "[", "]", ",", ":", "\"", "-1", "0", "9223372036854775807", "1e999", "1.5",
        "null",
        "\\u0000", "\\ud800", "\u{FEFF}", "\"__metadata__\":", "\"data_offsets\":[0,8]",
        "\"shape\":[4611686018427387904,4]", "\"step\":", "18446744073709551616", "\n", "\0",
        "[[[[[[[[[[[[[[[[[[[[", "\"check\":\"0123456789abcdef\",",
    ].map { Array($0.utf8) }

    @Test("safetensors files")
    func safetensors() throws {
        var fuzzer = Fuzzer("safetensors", fragments: Self.fragments)
        let folder = TemporaryFolder()
        let checkpoint = try SampleCheckpoint(step: 1).write(in: folder("whole"))
        let whole = folder.read("whole/step-000001/model.safetensors")
        let start = try checkpoint.model().dataRegion.lowerBound
        var opened = 0
        for round in 0..<Fuzzer.rounds {
            // The length put right, so that what comes after it is reached.
            let json = fuzzer.mutated(Array(whole[8..<start]))
            _ = try? SafetensorsHeader(json: json, dataBytes: whole.count - start)
            guard round % 10 == 0 else { continue }
            let length = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) }
            let bytes =
                round % 20 == 0 ? fuzzer.mutated(whole) : length + json + whole[start...]
            guard let file = try? SafetensorsFile(folder.write("mutant", bytes)) else { continue }
            opened += 1
            for tensor in file.tensors {
                _ = try? file.floats(tensor.name)
                #expect(try file.withBytes(tensor.name) { $0.count } == tensor.byteRange.count)
            }
        }
        #expect(opened > 0)
    }

    @Test("manifests and states")
    func manifests() throws {
        var fuzzer = Fuzzer("manifests", fragments: Self.fragments)
        let folder = TemporaryFolder()
        let path = try SampleCheckpoint(step: 1).write(in: folder.path).path
        let whole = folder.read("step-000001/manifest.json")
        for round in 0..<Fuzzer.rounds {
            let bytes = fuzzer.mutated(whole)
            guard let manifest = try? CheckpointManifest(bytes, path: ""), round % 4 == 0 else {
                continue
            }
            #expect(manifest.files.keys.allSatisfy { !$0.contains("/") })
            _ = folder.write("step-000001/manifest.json", bytes)
            _ = try? CheckpointFolder(path)
        }
    }

    @Test("ledgers")
    func ledgers() throws {
        var fuzzer = Fuzzer("ledgers", fragments: Self.fragments)
        let folder = TemporaryFolder()
        let lines = try (1...3).map { try LedgerTests.entry($0).line() }
        for round in 0..<Fuzzer.rounds {
            let line = fuzzer.mutated(Array(lines[0].dropLast()))
            // With its check put right, to reach what comes after it.
            let body = [UInt8(ascii: "{")] + line.dropFirst(28)
            let check = "{\"check\":\"\(SHA256.digest(body).prefix(16))\","
            let checked = Array(check.utf8) + body.dropFirst()
            _ = LedgerEntry.decode(line)
            _ = LedgerEntry.decode(checked)
            guard round % 10 == 0 else { continue }
            let bytes =
                checked + [UInt8(ascii: "\n")] + fuzzer.mutated(lines[1] + lines[2])
            guard let ledger = try? Ledger(folder.write("mutant", bytes)) else { continue }
            for step in ledger.steps.prefix(5) { _ = try? ledger.entry(step) }
        }
    }
}
