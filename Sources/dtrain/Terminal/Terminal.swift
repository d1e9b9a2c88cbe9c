import Foundation
import Synchronization
import Words

/// Where progress is said: one live line on a terminal, plain lines with the time elsewhere.
final class Terminal: Sendable {
    let isLive: Bool
    private let isQuiet: Bool
    private let usesColour: Bool
    private let hasLiveLine = Mutex(false)

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        isLive = isatty(STDERR_FILENO) == 1 && !isQuiet
        usesColour = isLive && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    }

    /// A line that stays.
    func say(_ line: String) {
        guard !isQuiet else { return }
        write(plain(line))
    }

    /// The same of a remark, by its weight.
    func say(_ remark: Remark) {
        if remark.isWarning { warn(remark.sentence) } else { say(remark.sentence) }
    }

    /// A line that stays, also under `--quiet`: something the user has to know.
    func warn(_ line: String) {
        let line = plain(line)
        write(usesColour ? "\u{1B}[33m\(line)\u{1B}[0m" : line)
    }

    /// Nothing in a line is obeyed by a terminal.
    private func plain(_ line: String) -> String {
        isLive ? line.visibleLine : "\(Self.time()) \(line.visibleLine)"
    }

    /// The line that is written over by the next one.
    func show(_ line: String) {
        guard isLive else { return }
        put("\r\u{1B}[K" + line.visibleLine)
        hasLiveLine.withLock { $0 = true }
    }

    private func write(_ line: String) {
        put((takeLiveLine() ? "\r\u{1B}[K" : "") + line + "\n")
    }

    /// Ends the live line, so that what follows starts on a line of its own.
    func finish() {
        if takeLiveLine() { put("\n") }
    }

    /// Whether there is a live line, which is over with that.
    private func takeLiveLine() -> Bool {
        hasLiveLine.withLock { has in
            defer { has = false }
            return has
        }
    }

    private func put(_ text: String) {
        StandardError.write(text)
    }

    private static func time() -> String {
        Date().formatted(
            Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
                .time(includingFractionalSeconds: false))
            + "Z"
    }
}
