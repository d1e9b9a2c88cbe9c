import Foundation
import Testing
import Wire

/// Whatever arrives, decoding it ends in a message or an error, and a message means one thing.
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

    static func generator(_ name: String) -> Generator {
        let given = ProcessInfo.processInfo.environment["DTRAIN_FUZZ_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0..<1_000_000_000)
        print("fuzzing \(name) with DTRAIN_FUZZ_SEED=\(seed)")
        return Generator(state: seed)
    }

    static let fragments: [[UInt8]] = [
        [0, 0, 0, 0], [255, 255, 255, 255], [255, 255, 255, 127], [0, 0, 0, 128], [1, 0, 0, 0],
        [255, 255, 255, 255, 255, 255, 255, 255], [0, 0, 0, 0, 0, 0, 0, 128], [0xC3], [2],
    ]

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
            case 4:
                bytes.insert(contentsOf: fragments.randomElement(using: &generator)!, at: place)
            default:
                bytes.replaceSubrange(
                    place..<end, with: fragments.randomElement(using: &generator)!)
            }
        }
        return bytes
    }

    /// A damaged body under a right checksum, now and then a damaged envelope.
    static func mutant(_ message: [UInt8], _ round: Int, _ generator: inout Generator) -> [UInt8] {
        if round % 8 == 0 { return mutated(message, &generator) }
        let kind = round % 64 == 1 ? UInt8.random(in: 0...255, using: &generator) : message[6]
        return Envelope.seal(
            kind: kind, body: mutated(Array(message[Envelope.headerSize...]), &generator))
    }

    @Test("messages of workers")
    func workers() throws {
        var generator = Self.generator("messages of workers")
        let samples = SampleMessages.ofWorker.map(\.encoded)
        var decoded = 0
        for round in 0..<Self.rounds {
            let bytes = Self.mutant(samples[round % samples.count], round, &generator)
            guard let message = try? WorkerMessage(decoding: bytes) else { continue }
            decoded += 1
            let again = message.encoded
            #expect(try WorkerMessage(decoding: again).encoded == again)
        }
        #expect(decoded > Self.rounds / 100)
    }

    @Test("messages of coordinators")
    func coordinators() throws {
        var generator = Self.generator("messages of coordinators")
        let samples = SampleMessages.ofCoordinator.map(\.encoded)
        var decoded = 0
        for round in 0..<Self.rounds {
            let bytes = Self.mutant(samples[round % samples.count], round, &generator)
            guard let message = try? CoordinatorMessage(decoding: bytes) else { continue }
            decoded += 1
            let again = message.encoded
            #expect(try CoordinatorMessage(decoding: again).encoded == again)
        }
        #expect(decoded > Self.rounds / 100)
    }

    @Test("what is said before a worker is known, and to askers")
    func strangers() throws {
        var generator = Self.generator("messages of strangers")
        let admission = SampleMessages.ofAdmission.map(\.encoded)
        let status = SampleMessages.ofStatus.map(\.encoded)
        var decoded = 0
        for round in 0..<Self.rounds {
            let bytes = Self.mutant(admission[round % admission.count], round, &generator)
            if let message = try? AdmissionMessage(decoding: bytes) {
                decoded += 1
                #expect(try AdmissionMessage(decoding: message.encoded) == message)
            }
            let other = Self.mutant(status[round % status.count], round, &generator)
            if let message = try? StatusMessage(decoding: other) {
                decoded += 1
                #expect(try StatusMessage(decoding: message.encoded) == message)
            }
        }
        #expect(decoded > Self.rounds / 100)
    }

    @Test("what is said for doctor")
    func doctor() throws {
        var generator = Self.generator("messages for doctor")
        let samples = SampleMessages.ofDoctor.map(\.encoded) + SampleMessages.ofLinks.map(\.encoded)
        var decoded = 0
        for round in 0..<Self.rounds {
            let bytes = Self.mutant(samples[round % samples.count], round, &generator)
            if let message = try? DoctorMessage(decoding: bytes) {
                decoded += 1
                #expect(try DoctorMessage(decoding: message.encoded) == message)
            }
            if let message = try? LinkMessage(decoding: bytes) {
                decoded += 1
                #expect(try LinkMessage(decoding: message.encoded) == message)
            }
        }
        #expect(decoded > Self.rounds / 100)
    }
}
