import Foundation
import Glibc
import Kernels

/// The worker processes that `train` and the benchmarks start on this host.
///
/// They ignore the terminal's Ctrl-C, end with this process, and are started again when they die.
package final class LocalWorkers {
    private struct Child {
        var processID: pid_t?
        var log: String
        var hasJoined = false
        /// A step has been committed since it joined.
        var hasWorked = false
        /// Deaths before that, one after another.
        var failedStarts = 0
    }

    /// A worker that keeps dying as soon as it is started.
    package struct KeepsEnding: Error, Sendable {
        package let index: Int
        package let status: ExitStatus
        package let log: String
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

    package func startAll() throws(POSIXFailure) {
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
        var status: Int32 = 0
        while case let ended = waitpid(-1, &status, WNOHANG), ended > 0 {
            guard let index = children.firstIndex(where: { $0.processID == ended }) else {
                continue
            }
            children[index].processID = nil
            let exit = ExitStatus(waitStatus: status)
            if !isFinished { replace(index, ended, exit) }
        }
    }

    private func replace(_ index: Int, _ processID: pid_t, _ status: ExitStatus) {
        report(.workerEnded(index: index, processID: processID, status: status))
        let hadWorked = children[index].hasWorked
        children[index].failedStarts = hadWorked ? 0 : children[index].failedStarts + 1
        guard children[index].failedStarts < 5 else {
            failure = KeepsEnding(index: index, status: status, log: children[index].log)
            return
        }
        do throws(POSIXFailure) {
            try start(index)
        } catch {
            failure = KeepsEnding(index: index, status: status, log: children[index].log)
        }
    }

    /// Waits for all to end by themselves; kills who has not after `seconds`.
    package func waitForAll(seconds: Double) {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !processIDs.isEmpty && ContinuousClock.now < deadline {
            reap(isFinished: true)
            if !processIDs.isEmpty { Self.waitForChild(milliseconds: 100) }
        }
        for processID in processIDs {
            kill(processID, SIGKILL)
            var status: Int32 = 0
            waitpid(processID, &status, 0)
        }
        for index in children.indices { children[index].processID = nil }
    }

    /// SIGCHLD is blocked, so it can be waited for; one that came before is not lost.
    private static func waitForChild(milliseconds: Int) {
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGCHLD)
        var limit = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
        sigtimedwait(&mask, nil, &limit)
    }

    private func start(_ index: Int) throws(POSIXFailure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, 1, children[index].log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let words = ["dtrain"] + arguments + ["--parent", "\(getpid())"]
        var pointers = words.map { strdup($0) } + [nil]
        var settings = environment.map { strdup($0) } + [nil]
        defer { for pointer in pointers + settings { free(pointer) } }
        var processID: pid_t = 0
        let code = posix_spawn(
            &processID, "/proc/self/exe", &actions, &attributes, &pointers, &settings)
        guard code == 0 else { throw POSIXFailure(call: "posix_spawn", code: code) }
        children[index].processID = processID
        children[index].hasJoined = false
        children[index].hasWorked = false
        report(.workerStarted(index: index, processID: processID, log: children[index].log))
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

/// A system call that failed.
package struct POSIXFailure: Error, Sendable {
    package let call: String
    package let code: Int32
}

extension ExitStatus {
    /// What `waitpid` says.
    init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .code(status >> 8 & 0xff) : .signal(signal)
    }
}
