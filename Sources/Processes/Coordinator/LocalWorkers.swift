import CLinux
import Events
import Foundation
import Glibc
import Kernels
import Messaging
import Threads

/// The worker processes that `train` and the benchmarks start on this host.
///
/// They ignore the terminal's Ctrl-C, end with this process, and are started again when they die.
package final class LocalWorkers {
    private struct Child {
        var processID: pid_t?
        /// Readable once the process has ended; nil where the system has none to give.
        var ending: Int32?
        var log: String
        var hasJoined = false
        /// A step has been committed since it joined.
        var hasWorked = false
        /// Deaths before that, one after another.
        var failedStarts = 0
    }

    /// A worker that keeps dying as soon as it is started, or that cannot be started.
    package struct KeepsEnding: Error, Sendable {
        package enum Reason: Sendable {
            case status(ExitStatus, log: String)
            /// The system has refused it something; in its own words.
            case refused(String)
            case notStarted(any Error)
        }

        package let index: Int
        package let reason: Reason
    }

    private let arguments: [String]
    /// What they are let in by; they find it in their environment, which their user alone can read.
    var token: String?
    private let report: (RunReport) -> Void
    private var children: [Child]
    private(set) var failure: KeepsEnding?

    /// `arguments` behind the program's own path; worker i's output goes to `logs`/worker-i.log.
    package init(
        count: Int, arguments: [String], token: String?, logs: String,
        report: @escaping (RunReport) -> Void
    ) {
        self.arguments = arguments + (Instructions.forced.map { ["--kernel", $0.rawValue] } ?? [])
        self.token = token
        self.report = report
        children = (0..<count).map { Child(log: "\(logs)/worker-\($0 + 1).log") }
    }

    package func startAll() throws {
        for index in children.indices { try start(index) }
    }

    /// The coordinator has welcomed a process of this host.
    func joined(_ processID: Int) {
        guard let index = children.firstIndex(where: { $0.processID.map(Int.init) == processID })
        else { return }
        children[index].hasJoined = true
    }

    /// Who has joined before a commit does not die as soon as it is started.
    func stepCommitted() {
        for index in children.indices where children[index].hasJoined {
            children[index].hasWorked = true
        }
    }

    package var processIDs: [pid_t] { children.compactMap(\.processID) }

    /// Takes note of children that have ended; unless the run is finished, starts them again.
    package func reap(isFinished: Bool) {
        for index in children.indices {
            var status: Int32 = 0
            guard let processID = children[index].processID,
                waitpid(processID, &status, WNOHANG) == processID
            else { continue }
            forget(index)
            if !isFinished { replace(index, processID, ExitStatus(waitStatus: status)) }
        }
    }

    /// Wakes who polls when one of them ends.
    func join(_ poller: inout Poller) {
        for ending in children.compactMap(\.ending) {
            poller.add(descriptor: ending, for: .readable)
        }
    }

    private func forget(_ index: Int) {
        children[index].processID = nil
        if let ending = children[index].ending { close(ending) }
        children[index].ending = nil
    }

    private func replace(_ index: Int, _ processID: pid_t, _ status: ExitStatus) {
        let hadWorked = children[index].hasWorked
        children[index].failedStarts = hadWorked ? 0 : children[index].failedStarts + 1
        if !hadWorked, status == .code(ExitStatus.refused),
            let sentence = ChildProcess.lastSentence(in: children[index].log)
        {
            failure = KeepsEnding(index: index, reason: .refused(sentence))
            return
        }
        report(.workerEnded(EndedWorker(index: index, processID: processID, status: status)))
        guard children[index].failedStarts < 5 else {
            failure = KeepsEnding(
                index: index, reason: .status(status, log: children[index].log))
            return
        }
        do {
            try start(index)
        } catch {
            failure = KeepsEnding(index: index, reason: .notStarted(error))
        }
    }

    /// Waits for all to end by themselves; kills who has not after `seconds`, and at once who has never
    /// joined: nobody tells those that the run is over.
    package func waitForAll(seconds: Double) {
        for child in children where !child.hasJoined {
            if let processID = child.processID { kill(processID, SIGKILL) }
        }
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !processIDs.isEmpty && ContinuousClock.now < deadline {
            reap(isFinished: true)
            if processIDs.isEmpty { break }
            var poller = Poller()
            join(&poller)
            _ = try? poller.wait(until: min(deadline, .now + .milliseconds(100)))
        }
        for index in children.indices {
            guard let processID = children[index].processID else { continue }
            kill(processID, SIGKILL)
            var status: Int32 = 0
            waitpid(processID, &status, 0)
            forget(index)
        }
    }

    private func start(_ index: Int) throws {
        let words = ["dtrain"] + arguments + ["--parent", "\(getpid())"]
        let processID = try ChildProcess.start(
            words, environment: environment, log: children[index].log)
        children[index].processID = processID
        let ending = pidfd_open(processID, 0)
        children[index].ending = ending >= 0 ? ending : nil
        children[index].hasJoined = false
        children[index].hasWorked = false
        report(
            .workerStarted(
                StartedWorker(index: index, processID: processID, log: children[index].log)))
    }
}

extension LocalWorkers {
    /// This process's, with the workers' token.
    private var environment: [String] {
        let name = Access.variable
        let own = ProcessInfo.processInfo.environment.filter { $0.key != name }
        return own.map { "\($0.key)=\($0.value)" }.sorted()
            + (token.map { ["\(name)=\($0)"] } ?? [])
    }
}
