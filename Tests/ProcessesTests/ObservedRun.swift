import Coordination
import Events
import Foundation
import Preparation
import Processes
import Settings
import Synchronization
import TestKit
import Threads

/// A real run within this process: a coordinator, and workers on threads that it is not the parent of.
struct ObservedRun {
    let folder: TemporaryFolder
    let path: String
    private let run: TrainingRun
    private let workers: Int

    init(_ name: String, steps: Int, workers: Int) throws {
        folder = try TemporaryFolder()
        path = folder.file(name).path
        let corpus = try folder.write(TrainedRun.text, to: "text.tsv")
        var given = GivenSettings()
        for (setting, text) in [
            (Setting.corpus, corpus), (.validation, corpus), (.vocabulary, "48"), (.dModel, "32"),
            (.layers, "1"), (.dFF, "64"), (.heads, "2"), (.dropout, "0"), (.positions, "24"),
            (.batchTokens, "200"), (.learningRate, "0.01"), (.warmup, "20"), (.shards, "2"),
            (.steps, "\(steps)"), (.workers, "\(workers)"), (.validateEvery, "5"),
            (.insecure, "true"),
        ] { given.set(setting, text) }
        run = TrainingRun(
            configuration: try RunConfiguration(given),
            location: RunLocation(folder: path, resume: false), hasLocalWorkers: false,
            bind: Address(host: "127.0.0.1", port: 0), software: "dtrain tests")
        self.workers = workers
    }

    /// Runs to the end, told to `observers`.
    func finish(_ observers: [any RunObserver]) throws -> TrainingRun.Result {
        let starter = WorkerStarter(workers)
        defer { starter.wait() }
        let requests = try RequestBox()
        return try run.run(requests: { requests }, observers: observers + [starter])
    }

    /// The lines of `metrics.jsonl`.
    func metrics() throws -> [String] {
        try String(contentsOfFile: path + "/metrics.jsonl", encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }
}

/// Starts workers as soon as it is told where the coordinator listens.
private final class WorkerStarter: RunObserver {
    let name = "starter"
    private let workers: Int
    private let ended = DispatchGroup()

    init(_ workers: Int) { self.workers = workers }

    func observe(_ event: RunEvent) {
        guard case .listening(let listening) = event.report else { return }
        for _ in 0..<workers {
            ended.enter()
            Thread.detachNewThread { [ended] in
                defer { ended.leave() }
                try? Self.work(for: listening.address)
            }
        }
    }

    private static func work(for address: Address) throws {
        let options = WorkerOptions(
            coordinator: address, access: .plain, threads: 1, wait: .seconds(60),
            software: "dtrain tests")
        _ = try WorkerProcess(options, requests: RequestBox()) { _ in }.run()
    }

    func wait() { _ = ended.wait(timeout: .now() + 60) }
}

/// Keeps what it is told.
final class Recorder: RunObserver {
    let name = "recorder"
    private let kept = Mutex<[RunEvent]>([])

    func observe(_ event: RunEvent) { kept.withLock { $0.append(event) } }

    var events: [RunEvent] { kept.withLock { $0 } }
}
