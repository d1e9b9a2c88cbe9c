import Checkpoint
import Foundation
import Testing

/// Whatever stands in a file, reading it ends in a value or an error.
///
/// The seed is printed; DTRAIN_FUZZ_SEED repeats it.
@Suite struct FuzzTests {
    static let rounds = 20_000

    /// SplitMix64 (Steele, Lea, Flood 2014).
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    static let fragments = [
        "{", "}", "[", "]", ",", ":", "\"", "-1", "0", "9223372036854775807", "1e999", "1.5",
        "null",
        "\\u0000", "\\ud800", "\u{FEFF}", "\"__metadata__\":", "\"data_offsets\":[0,8]",
        "\"shape\":[4611686018427387904,4]", "\"step\":", "18446744073709551616", "\n", "\0",
        "[[[[[[[[[[[[[[[[[[[[", "\"check\":\"0123456789abcdef\",",
    ].map { Array($0.utf8) }

    static func generator(_ name: String) -> Generator {
        let given = ProcessInfo.processInfo.environment["DTRAIN_FUZZ_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0..<1_000_000_000)
        print("fuzzing \(name) with DTRAIN_FUZZ_SEED=\(seed)")
        return Generator(state: seed)
    }

    static func mutated(_ bytes: [UInt8], _ generator: inout Generator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 0...12, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0 where place < bytes.count:
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1 where place < bytes.count:
                bytes[place] = .random(in: 0...255, using: &generator)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.insert(contentsOf: fragments.randomElement(using: &generator)!, at: place)
            default:
                bytes.replaceSubrange(
                    place..<end, with: fragments.randomElement(using: &generator)!)
            }
        }
        return bytes
    }

    @Test("safetensors files")
    func safetensors() throws {
        var generator = Self.generator("safetensors")
        let folder = TemporaryFolder()
        let checkpoint = try SampleCheckpoint(step: 1).write(in: folder("whole"))
        let whole = folder.read("whole/step-000001/model.safetensors")
        let start = try checkpoint.model().dataRegion.lowerBound
        var opened = 0
        for round in 0..<Self.rounds {
            // The length put right, so that what comes after it is reached.
            let json = Self.mutated(Array(whole[8..<start]), &generator)
            _ = try? SafetensorsHeader(json: json, dataBytes: whole.count - start)
            guard round % 10 == 0 else { continue }
            let length = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) }
            let bytes =
                round % 20 == 0 ? Self.mutated(whole, &generator) : length + json + whole[start...]
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
        var generator = Self.generator("manifests")
        let folder = TemporaryFolder()
        let path = try SampleCheckpoint(step: 1).write(in: folder.path).path
        let whole = folder.read("step-000001/manifest.json")
        for round in 0..<Self.rounds {
            let bytes = Self.mutated(whole, &generator)
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
        var generator = Self.generator("ledgers")
        let folder = TemporaryFolder()
        let lines = try (1...3).map { try LedgerTests.entry($0).line() }
        for round in 0..<Self.rounds {
            let line = Self.mutated(Array(lines[0].dropLast()), &generator)
            // With its check put right, to reach what comes after it.
            let body = [UInt8(ascii: "{")] + line.dropFirst(28)
            let check = "{\"check\":\"\(SHA256.digest(body).prefix(16))\","
            let checked = Array(check.utf8) + body.dropFirst()
            _ = LedgerEntry.decode(line)
            _ = LedgerEntry.decode(checked)
            guard round % 10 == 0 else { continue }
            let bytes =
                checked + [UInt8(ascii: "\n")] + Self.mutated(lines[1] + lines[2], &generator)
            guard let ledger = try? Ledger(folder.write("mutant", bytes)) else { continue }
            for step in ledger.steps.prefix(5) { _ = try? ledger.entry(step) }
        }
    }
}
