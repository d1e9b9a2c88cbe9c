import Foundation
import Parameters
import Testing
import Wire

/// The bytes of messages, as they have been since protocol version 7: whoever changes some on purpose
/// counts the version up, whoever adds a kind need not. DTRAIN_WRITE_GOLDEN=1 writes the file.
@Suite struct GoldenBytes {
    static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Golden/messages.tsv")

    /// What is written of each sample: its place in the list, its kind, its bytes.
    static var lines: [String] {
        let lists: [(String, [[UInt8]])] = [
            ("worker", SampleMessages.ofWorker.map(\.encoded)),
            ("odd worker", SampleMessages.oddOfWorker.map(\.encoded)),
            ("coordinator", SampleMessages.ofCoordinator.map(\.encoded)),
            ("admission", SampleMessages.ofAdmission.map(\.encoded)),
            ("status", SampleMessages.ofStatus.map(\.encoded)),
            ("doctor", SampleMessages.ofDoctor.map(\.encoded)),
            ("link", SampleMessages.ofLinks.map(\.encoded)),
            ("relay endpoint", SampleMessages.instances.map(relayEndpoint)),
            ("relay inbox", SampleMessages.instances.map(RelayAddress.inbox(ofInstance:))),
        ]
        let samples = lists.flatMap { name, messages in
            messages.enumerated().map { line("\(name) \($0)", $1) }
        }
        return samples + MessageKinds.empty.map { line("empty of kind \($0[6])", $0) }
    }

    private static func line(_ name: String, _ bytes: [UInt8]) -> String {
        "\(name)\t\(bytes.map { hexadecimal(UInt64($0)).suffix(2) }.joined())"
    }

    private static func relayEndpoint(_ instance: UInt64) -> [UInt8] {
        Array(RelayAddress.endpoint(ofInstance: instance).utf8)
    }

    @Test func `every sample is coded in the bytes that are kept`() throws {
        let lines = Self.lines
        if ProcessInfo.processInfo.environment["DTRAIN_WRITE_GOLDEN"] == "1" {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: Self.file)
        }
        let kept = try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n")
        #expect(kept.count == lines.count)
        for (line, expected) in zip(lines, kept) { #expect(line == expected) }
    }
}
