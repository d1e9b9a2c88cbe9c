import FuzzKit
import Testing
import Wire

/// Whatever arrives, decoding it ends in a message or an error, and a message means one thing.
@Suite struct FuzzTests {
    /// A damaged body under a right checksum, now and then a damaged envelope.
    static func mutant(_ message: [UInt8], _ round: Int, _ fuzzer: inout Fuzzer) -> [UInt8] {
        if round % 8 == 0 { return fuzzer.mutated(message) }
        let kind = round % 64 == 1 ? UInt8(fuzzer.number(0...255)) : message[6]
        return Envelope.seal(
            kind: kind, body: fuzzer.mutated(Array(message[Envelope.headerSize...])))
    }

    @Test("messages of workers")
    func workers() throws {
        var fuzzer = Fuzzer("messages of workers")
        let samples =
            SampleMessages.ofWorker.map(\.encoded) + MessageKinds.empty.filter { $0[6] < 64 }
        var decoded = 0
        for round in 0..<Fuzzer.rounds {
            let bytes = Self.mutant(samples[round % samples.count], round, &fuzzer)
            guard let message = try? WorkerMessage(decoding: bytes) else { continue }
            decoded += 1
            let again = message.encoded
            #expect(try WorkerMessage(decoding: again).encoded == again)
        }
        #expect(decoded > Fuzzer.rounds / 100)
    }

    @Test("messages of coordinators")
    func coordinators() throws {
        var fuzzer = Fuzzer("messages of coordinators")
        let samples =
            SampleMessages.ofCoordinator.map(\.encoded)
            + MessageKinds.empty.filter { 64..<90 ~= $0[6] }
        var decoded = 0
        for round in 0..<Fuzzer.rounds {
            let bytes = Self.mutant(samples[round % samples.count], round, &fuzzer)
            guard let message = try? CoordinatorMessage(decoding: bytes) else { continue }
            decoded += 1
            let again = message.encoded
            #expect(try CoordinatorMessage(decoding: again).encoded == again)
        }
        #expect(decoded > Fuzzer.rounds / 100)
    }

    @Test("what is said before a worker is known, and to askers")
    func strangers() throws {
        var fuzzer = Fuzzer("messages of strangers")
        let admission = SampleMessages.ofAdmission.map(\.encoded)
        let status = SampleMessages.ofStatus.map(\.encoded)
        var decoded = 0
        for round in 0..<Fuzzer.rounds {
            let bytes = Self.mutant(admission[round % admission.count], round, &fuzzer)
            if let message = try? AdmissionMessage(decoding: bytes) {
                decoded += 1
                #expect(try AdmissionMessage(decoding: message.encoded) == message)
            }
            let other = Self.mutant(status[round % status.count], round, &fuzzer)
            if let message = try? StatusMessage(decoding: other) {
                decoded += 1
                #expect(try StatusMessage(decoding: message.encoded) == message)
            }
        }
        #expect(decoded > Fuzzer.rounds / 100)
    }

    @Test("what is said for doctor")
    func doctor() throws {
        var fuzzer = Fuzzer("messages for doctor")
        let samples = SampleMessages.ofDoctor.map(\.encoded) + SampleMessages.ofLinks.map(\.encoded)
        var decoded = 0
        for round in 0..<Fuzzer.rounds {
            let bytes = Self.mutant(samples[round % samples.count], round, &fuzzer)
            if let message = try? DoctorMessage(decoding: bytes) {
                decoded += 1
                #expect(try DoctorMessage(decoding: message.encoded) == message)
            }
            if let message = try? LinkMessage(decoding: bytes) {
                decoded += 1
                #expect(try LinkMessage(decoding: message.encoded) == message)
            }
        }
        #expect(decoded > Fuzzer.rounds / 100)
    }
}
