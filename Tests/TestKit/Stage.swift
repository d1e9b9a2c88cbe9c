import Foundation
import Synchronization

/// The processes of one test and their folder: when it is released, nothing of them is left.
final class Stage: Sendable {
    let folder: TemporaryFolder
    /// Stands in the environment of every process, so that their children are found too.
    private let token = UUID().uuidString
    private let started = Mutex<[StartedProcess]>([])

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.file("tmp"), withIntermediateDirectories: true)
    }

    deinit { endAll() }

    func start(
        _ executable: URL, _ arguments: [String], as name: String, isPowerless: Bool
    ) throws -> StartedProcess {
        var environment = ProcessInfo.processInfo.environment
        environment["TMPDIR"] = folder.file("tmp").path
        environment["DTRAIN_TEST"] = token
        // Who traps says where.
        environment["SWIFT_BACKTRACE"] = "enable=yes,color=no,interactive=no,threads=crashed"
        let process = try StartedProcess(
            name: name,
            request: Spawner.Request(
                executable: executable.path, arguments: arguments, environment: environment,
                folder: folder.path, output: -1, errors: -1, isPowerless: isPowerless))
        started.withLock { $0.append(process) }
        return process
    }

    /// Kills whatever lives, and waits until it has been reaped.
    func endAll() {
        for process in started.withLock({ $0 }) { process.send(SIGKILL, toGroup: true) }
        for processID in survivors { kill(processID, SIGKILL) }
        for process in started.withLock({ $0 }) {
            _ = process.wait(until: Date() + 10) { $0.code }
        }
    }

    /// Living processes that this stage or one of its processes has started.
    var survivors: [pid_t] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.filter { isOurs($0) }
    }

    private func isOurs(_ processID: pid_t) -> Bool {
        // A zombie has no environment any more.
        let environment = FileManager.default.contents(atPath: "/proc/\(processID)/environ")
        return environment?.range(of: Data("DTRAIN_TEST=\(token)".utf8)) != nil
    }

    /// Every process with its last lines, and the last lines of the logs in the folder.
    var account: String {
        var parts = started.withLock { $0 }.map { process in
            let record = process.now
            let state = record.code.map { "ended with \($0)" } ?? "lives"
            return "— \(process.name), process \(process.processID), \(state):\n"
                + record.lines.suffix(record.code == nil ? 20 : 60).map { "    \($0.text)" }.joined(
                    separator: "\n")
        }
        for log in logs {
            let lines = ((try? String(contentsOf: log, encoding: .utf8)) ?? "")
                .split(separator: "\n")
            parts.append(
                "— \(log.lastPathComponent):\n"
                    + lines.suffix(10).map { "    \($0)" }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n")
    }

    private var logs: [URL] {
        let all = FileManager.default.enumerator(at: folder.url, includingPropertiesForKeys: nil)
        return (all?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "log" }
            .sorted { $0.path < $1.path }
    }
}

/// Something that a test waited for did not happen, with the last lines of all its processes.
package struct ClusterFailure: Error, CustomStringConvertible {
    package let expected: String
    package let account: String

    package var description: String { "expected \(expected)\n\(account)" }
}
