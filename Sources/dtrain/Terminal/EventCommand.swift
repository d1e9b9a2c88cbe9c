import Coordination
import Events
import Foundation
import Glibc
import Resources
import Synchronization
import Words

/// Runs a command of the user's when a worker is lost, when the run has recovered, and when it ends.
///
/// The event's JSON is its standard input, and `DTRAIN_EVENT` says `lost`, `recovered`, `finished`,
/// `stopped` or `failed`. It never runs twice at once, and no longer than a deadline; the run waits for none
/// but the last, and for that a few seconds at most.
final class EventCommand: RunObserver, @unchecked Sendable {
    let name = "--on-event"
    private struct Occasion {
        var name: String
        var json: Data
    }

    private struct State {
        var waiting: [Occasion] = []
        var isClosed = false
        var passedOver = 0
        var child: pid_t?
    }

    private let command: String
    private let terminal: Terminal
    private let seconds: Double
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var state = State()
    private let over = DispatchSemaphore(value: 0)
    // Only on the observer's thread.
    private var hasLost = false
    private var hasBegun = false

    /// Occasions that may wait while the command runs.
    private static let limit = 64
    /// Seconds that the end of the run waits for the last command.
    private static let farewell = 4.0

    /// - Parameter seconds: the longest that the command may take.
    init(_ command: String, seconds: Double = 30, _ terminal: Terminal) {
        self.command = command
        self.seconds = seconds
        self.terminal = terminal
    }

    func observe(_ event: RunEvent) {
        switch event.report {
        case .note(.lost):
            hasLost = true
            post("lost", event)
        case .step where hasLost:
            hasLost = false
            post("recovered", event)
        case .ended(let ending):
            switch ending.outcome {
            case .finished: post("finished", event)
            case .stopped: post("stopped", event)
            default: post("failed", event)
            }
            end()
        default: break
        }
    }

    private func post(_ name: String, _ event: RunEvent) {
        guard let json = try? event.json() else { return }
        if !hasBegun {
            hasBegun = true
            guard (try? startThread("on-event") { [self] in work() }) != nil else { return }
        }
        condition.withLock {
            guard state.waiting.count < Self.limit else {
                state.passedOver += 1
                return
            }
            state.waiting.append(Occasion(name: name, json: json))
            condition.signal()
        }
    }

    private func work() {
        while true {
            let next: Occasion? = condition.withLock {
                while state.waiting.isEmpty, !state.isClosed { condition.wait() }
                return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            }
            guard let next else { break }
            run(next)
        }
        over.signal()
    }

    private func run(_ occasion: Occasion) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_adddup2(&actions, 2, 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // A group of its own: the deadline ends what it has started, too.
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        let own = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("DTRAIN_") }
        let settings =
            own.map { "\($0.key)=\($0.value)" }.sorted() + ["DTRAIN_EVENT=\(occasion.name)"]
        let line = ["sh", "-c", command]
        var words = line.map { strdup($0) } + [nil]
        var environment = settings.map { strdup($0) } + [nil]
        defer { for pointer in words + environment { free(pointer) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/bin/sh", &actions, &attributes, &words, &environment)
        close(ends[0])
        defer { close(ends[1]) }
        guard code == 0 else {
            terminal.warn("--on-event: the command cannot be started (\(reason(code)))")
            return
        }
        // An event is far shorter than what a pipe holds.
        let input = [UInt8](occasion.json) + [10]
        _ = write(ends[1], input, min(input.count, 4096 * 15))
        close(ends[1])
        ends[1] = -1
        finish(child, occasion.name)
    }

    private func finish(_ child: pid_t, _ name: String) {
        condition.withLock { state.child = child }
        defer { condition.withLock { state.child = nil } }
        let deadline = Date(timeIntervalSinceNow: seconds)
        var status: Int32 = 0
        while waitpid(child, &status, WNOHANG) == 0 {
            guard Date() > deadline else {
                usleep(20_000)
                continue
            }
            kill(-child, SIGKILL)
            waitpid(child, &status, 0)
            terminal.warn(
                "--on-event: the command was ended after \(span(seconds)) (event: \(name))")
            return
        }
        if status != 0 {
            terminal.warn("--on-event: the command failed (event: \(name)), training goes on")
        }
    }

    private func end() {
        guard hasBegun else { return }
        condition.withLock {
            state.isClosed = true
            condition.broadcast()
        }
        guard over.wait(timeout: .now() + Self.farewell) == .timedOut else { return }
        if let child = condition.withLock({ state.child }) { kill(-child, SIGKILL) }
    }
}
