import Checkpoint
import Coordination
import Events
import Foundation
import Preparation
import Processes
import Resources
import Settings
import Synchronization
import TestKit
import Testing
import Threads

/// Coordinators and workers of several runs as threads of one process.
@Suite("Two runs in one process", .timeLimit(.minutes(2)))
struct TwoRunsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `two runs live side by side, and each has the bits that it has alone`() throws {
        let alone = try run(named: ["one"])[0]
        let together = try run(named: ["two", "three"])
        #expect(alone.step == 30)
        #expect(alone.digest?.count == 64)
        #expect(together.map(\.step) == [30, 30])
        #expect(together.map(\.digest) == [alone.digest, alone.digest])
    }

    @Test func `what asks one run to stop leaves the other alone`() throws {
        let results = try run(named: ["stopped", "left alone"], steps: 300) {
            name, step, requests in
            if name == "stopped", step == 20 { requests.post(.stop) }
        }
        #expect(results[0].step >= 20 && results[0].step < 300)
        #expect(results[1].step == 300)
        guard case .stopped(_, let saved?) = results[0].outcome else {
            Issue.record("\(results[0].outcome)")
            return
        }
        #expect(saved == results[0].step)
    }

    /// Runs them at once, with a worker of one lane each.
    private func run(
        named names: [String], steps: Int = 30,
        watch: @escaping @Sendable (_ name: String, _ step: Int, RequestBox) -> Void = { _, _, _ in
        }
    ) throws -> [TrainingRun.Result] {
        let corpus = try folder.write(TrainedRun.text, to: "corpus.tsv")
        let results = Mutex<[String: Result<TrainingRun.Result, any Error>]>([:])
        let ended = DispatchSemaphore(value: 0)
        for name in names {
            let run = TrainingRun(
                configuration: try configuration(corpus, steps: steps),
                location: RunLocation(folder: folder.file(name).path, resume: false),
                hasLocalWorkers: false, bind: Address(host: "127.0.0.1", port: 0),
                software: "dtrain tests")
            let sendable = Sendably(run)
            let tokenFile = RunPaths(folder.file(name).path).token
            try startThread("run") {
                let result = Result {
                    let requests = try RequestBox()
                    let observer = Watcher { report in
                        switch report {
                        case .listening(let listening):
                            Self.startWorker(of: listening.address, tokenFile, ended)
                        case .step(let step): watch(name, step.step, requests)
                        default: break
                        }
                    }
                    return try sendable.value.run(
                        requests: { requests }, observers: [observer])
                }
                results.withLock { $0[name] = result }
                ended.signal()
            }
        }
        for _ in 0..<2 * names.count {
            try #require(ended.wait(timeout: .now() + 60) == .success, "a run or a worker hangs")
        }
        return try results.withLock { results in try names.map { try results[$0]!.get() } }
    }

    private static func startWorker(
        of address: Address, _ tokenFile: String, _ ended: DispatchSemaphore
    ) {
        let options = WorkerOptions(
            coordinator: address, access: .tokenFile(tokenFile), threads: 1, wait: .seconds(20),
            software: "dtrain tests")
        let isStarted: Void? = try? startThread("worker") {
            let outcome = Result {
                try WorkerProcess(options, requests: RequestBox()) { _ in }.run()
            }
            if case .failure(let error) = outcome { Issue.record("\(error)") }
            ended.signal()
        }
        if isStarted == nil { ended.signal() }
    }

    private func configuration(_ corpus: String, steps: Int) throws -> RunConfiguration {
        var given = GivenSettings()
        let small: [(Setting, String)] = [
            (.corpus, corpus), (.validation, corpus), (.vocabulary, "48"), (.dModel, "32"),
            (.layers, "1"), (.dFF, "64"), (.heads, "2"), (.positions, "24"), (.workers, "1"),
            (.batchTokens, "200"), (.shards, "2"), (.steps, "\(steps)"), (.checkpointEvery, "0"),
        ]
        for (setting, text) in small { given.set(setting, text) }
        return try RunConfiguration(given)
    }
}

private struct Watcher: RunObserver {
    let name = "watcher"
    let tell: @Sendable (RunReport) -> Void

    func observe(_ event: RunEvent) { tell(event.report) }
}

/// A value that one thread hands to another for good.
private struct Sendably<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
