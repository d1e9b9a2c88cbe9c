import Coordination
import Foundation
import FuzzKit
import Processes
import Settings
import Testing

/// Whatever stands in a configuration, it is one that reads back the same, or an error.
@Suite struct FuzzTests {
    @Test("configuration files")
    func yaml() throws {
        let fragments = [
            ":", ": ", "\n", "- ", "{", "}", "[", "]", "&a", "*a", "!!", "|", ">", "'", "\"", "#",
            "---\n", "\t", "seed: ", "workers: ", "-1", "1e999", "nan", "0x10", "~", "null",
            "18446744073709551616", "tcp://[::1]:5", "\u{FEFF}", "\0", "<<: *a", "? ", "%YAML 1.2",
        ].map { Array($0.utf8) }
        var fuzzer = Fuzzer("configuration files", fragments: fragments)
        let whole = Array(try RunConfiguration(GivenSettings()).yaml.utf8)
        var resolved = 0
        for round in 0..<Fuzzer.rounds {
            // A few lines, so that most damage leaves some of them whole.
            let lines = whole.split(separator: 0x0A)
            let first = fuzzer.number(0...lines.count - 4)
            let some = Array(lines[first..<first + 4].joined(separator: [0x0A]))
            let bytes = fuzzer.mutated(round % 16 == 0 ? whole : some)
            let text = String(decoding: bytes, as: UTF8.self)
            guard let given = try? GivenSettings(yaml: text, path: "f"),
                let run = try? RunConfiguration(given)
            else { continue }
            resolved += 1
            let again = try RunConfiguration(GivenSettings(yaml: run.yaml, path: "f"))
            #expect(again == run, "\(text)")
        }
        #expect(resolved > Fuzzer.rounds / 100)
    }

    @Test("what a welcome carries, and what a status answers")
    func json() throws {
        let fragments = [
            "{", "}", "[", "]", ",", ":", "\"", "-1", "1e999", "null", "true",
            "9223372036854775808",
            "\"shards\":\"", "\\u0000", "\\ud800", "\"dModel\":", "0.5", "\"kind\":",
        ].map { Array($0.utf8) }
        var fuzzer = Fuzzer("jobs and status", fragments: fragments)
        let configuration = try RunConfiguration(GivenSettings())
        let job = try WorkerJob(
            architecture: .init(configuration, vocabulary: 4000), configuration: configuration
        ).encoded()
        let coordinator = Coordinator(
            policy: CoordinatorPolicy(
                run: .init(number: 1, epoch: 1, software: "", configuration: []),
                gathering: .init(workers: 1), shards: 1, steps: 1,
                deadlines: Deadlines(peerTimeout: Milliseconds(1000))),
            parameterCount: 1, resumedFrom: nil)
        let status = Array(
            try JSONEncoder().encode(coordinator.status(at: Instant(nanoseconds: 0))))
        var read = 0
        for _ in 0..<Fuzzer.rounds {
            let mutant = fuzzer.mutated(job)
            if (try? JSONDecoder().decode(WorkerJob.self, from: Data(mutant))) != nil { read += 1 }
            _ = try? JSONDecoder().decode(
                RunStatus.self, from: Data(fuzzer.mutated(status)))
        }
        #expect(read > 0)
    }
}
