import Checkpoint
import Events
import Foundation
import Glibc
import Page
import Resources
import Synchronization
import Threads
import Words

/// The process that shows a run's page, started by the run. Whatever becomes of it, the run goes on.
final class PageProcess: RunObserver, @unchecked Sendable {
    let name = "the page"
    private let terminal: Terminal
    private let address: PageAddress
    private let isInsecure: Bool
    // Only on the observer's thread.
    private var folder = ""
    private var child: pid_t?
    private let isOver = Mutex(false)
    private let ended = DispatchSemaphore(value: 0)

    /// Seconds that it may take to listen, and to tell its readers of the end.
    private static let patience = 20.0
    private static let farewell = 2.0

    init(_ address: PageAddress, isInsecure: Bool, _ terminal: Terminal) {
        self.address = address
        self.isInsecure = isInsecure
        self.terminal = terminal
    }

    func observe(_ event: RunEvent) {
        switch event.report {
        case .prepared(let summary): folder = summary.folder
        case .listening: if child == nil { start() }
        case .ended: end()
        default: break
        }
    }

    /// It ends with this thread, as it would with this process.
    private func start() {
        let paths = RunPaths(folder)
        try? FileManager.default.removeItem(atPath: paths.pageAddress)
        let log = paths.logs + "/page.log"
        do {
            let words =
                [
                    "dtrain", "page", folder, "--bind", address.text, "--parent", "\(getpid())",
                ] + (isInsecure ? ["--insecure"] : [])
            let processID = try ChildProcess.start(words, log: log)
            child = processID
            try startThread("page") { [self] in watch(processID, paths, log) }
        } catch {
            terminal.warn("there is no page: \(Failure(thrown: error).sentence)")
        }
    }

    /// Says where the page is, then what becomes of its process.
    private func watch(_ processID: pid_t, _ paths: RunPaths, _ log: String) {
        var status: Int32 = 0
        var isGone = false
        let deadline = Date(timeIntervalSinceNow: Self.patience)
        while !isGone, Date() < deadline {
            if let link = try? paths.text(paths.pageAddress) {
                say(link.trimmingCharacters(in: .whitespacesAndNewlines), paths)
                break
            }
            isGone = waitpid(processID, &status, WNOHANG) == processID
            if !isGone { usleep(50_000) }
        }
        while !isGone {
            let waited = waitpid(processID, &status, 0)
            isGone = waited == processID || (waited < 0 && errno != EINTR)
        }
        if !isOver.withLock({ $0 }) {
            let why =
                ChildProcess.lastSentence(in: log)
                ?? "its process \(processID) \(said(ExitStatus(waitStatus: status)))"
            terminal.warn(
                "the page is gone, training goes on, 'dtrain page \(quoted(shown(paths.folder)))' "
                    + "shows it again: \(why)")
        }
        ended.signal()
    }

    private func say(_ link: String, _ paths: RunPaths) {
        let token = terminal.isLive ? try? PrivateFile.read(paths.pageToken) : nil
        terminal.say("page: \(pageLink(link, of: paths, token: token))")
    }

    /// The page reads of the end by itself, and ends.
    private func end() {
        isOver.withLock { $0 = true }
        guard let child else { return }
        guard ended.wait(timeout: .now() + Self.farewell) == .timedOut else { return }
        kill(child, SIGKILL)
        _ = ended.wait(timeout: .now() + Self.farewell)
    }
}
