import ArgumentParser
import Checkpoint
import Coordination
import Events
import Foundation
import Preparation
import Settings
import Watching
import Words

struct WatchRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Shows a run in the whole terminal: how it stands, loss, workers, log.",
        discussion: """
            Reads the run's folder, so it needs no connection to the coordinator, and works over \
            ssh. Ends with q or Ctrl-C, and leaves the terminal as it was.

            EXAMPLE
              dtrain watch runs/latest
            """)

    @Argument(help: "Run folder.")
    var folder = RunLocation.latest

    func run() throws {
        let paths = try runPaths(folder)
        let view: RunView
        do {
            view = try RunView(paths)
        } catch {
            throw Failure(error)
        }
        guard let screen = try Screen() else {
            throw Failure.usage(
                "dtrain watch needs a terminal: 'dtrain status --run \(quoted(folder))' prints how a run "
                    + "stands")
        }
        while true {
            let size = TerminalSize.current
            screen.show(view.lines(columns: size.columns, rows: size.rows))
            switch screen.wait(milliseconds: 500) {
            case .time: break
            case .end, .key(UInt8(ascii: "q")), .key(3), .key(4): return
            case .key: break
            }
        }
    }
}

/// What `watch` shows of a run.
private final class RunView {
    private let paths: RunPaths
    private let series: RunSeries
    private let events: EventLog
    private let advice: Advice
    private var picture = RunPicture()
    private var spans: [(end: Double, span: PhaseSpan)] = []
    private var log: [(time: Double, text: String)] = []

    /// Seconds over which shares of time are taken.
    private static let recent = 10.0

    init(_ paths: RunPaths) throws(CheckpointError) {
        self.paths = paths
        series = try RunSeries(paths)
        events = EventLog(paths)
        let saved = try? SavedSettings(of: paths.folder).configuration
        advice = Advice(
            command: "train", folder: paths.folder, configuration: saved ?? .standard)
    }

    private func read() {
        series.update()
        events.read { event in
            picture.take(event)
            if case .phases(let new) = event.report {
                spans += new.map { (event.time - event.clock + $0.end, $0) }
            }
            log += event.report.remarks.map { (event.time, $0.sentence) }
        }
        if log.count > 200 { log.removeFirst(log.count - 200) }
        spans.removeAll { $0.end < picture.toldAt - Self.recent }
    }

    func lines(columns: Int, rows: Int) -> [String] {
        read()
        let now = Date().timeIntervalSince1970
        let verdict = picture.verdict(
            now: now, isHeld: CoordinatorLock.isHeld(paths.lock), measured: series.steps)
        var lines = [shown(paths.folder)]
        let sign =
            ["good": "●", "waiting": "◐", "bad": "▲", "over": "■"][verdict.weight.rawValue] ?? "◌"
        let age = verdict.asOf > 0 ? now - verdict.asOf : 0
        let words = "\(sign) \(verdict.sentence(in: paths.folder, advice))"
        lines += wrapped(words + (age > 3 ? " (as of \(span(age)) ago)" : ""), columns, 3)
        lines += [progress(columns), ""]
        let workers = workerLines()
        let plotRows = max(6, min(rows / 2, rows - lines.count - workers.count - 5))
        let found = series.stretch(1...Int.max, points: 2 * columns)
        let points = zip(found.begins, found.blocks).map { begin, block in
            let value = block[Column.loss.index]
            return (Double(begin), value.count > 0 ? Double(value.mean) : Double.nan)
        }
        let last = points.last { $0.1.isFinite }.map { " \(fixed($0.1, 3))" } ?? ""
        lines += Plot(title: "loss" + last, lines: [Plot.Line(name: "", points: points)])
            .characters(columns: columns, rows: plotRows)
        lines += [""] + workers
        let room = rows - lines.count - 1
        if room > 1 {
            lines.append("")
            lines += log.suffix(room - 1).map { "\(time($0.time))  \($0.text)" }
        }
        lines = lines.prefix(max(1, rows - 1)).map { String($0.visibleLine.prefix(columns)) }
        lines += [String](repeating: "", count: max(0, rows - 1 - lines.count))
        return lines + [String("q ends".prefix(columns))]
    }

    private func progress(_ columns: Int) -> String {
        let step = max(picture.step?.step ?? 0, series.steps)
        guard let last = picture.lastStep, last > 0 else { return "step \(grouped(step))" }
        let words = " step \(grouped(step)) of \(grouped(last))"
        let width = max(4, min(40, columns - words.count))
        let done = min(width, width * step / last)
        return String(repeating: "█", count: done) + String(repeating: "░", count: width - done)
            + words
    }

    private func workerLines() -> [String] {
        picture.workers.map { worker in
            let name = padded(worker.name, 5) + padded(String(worker.host.prefix(16)), 17)
            if worker.lostAt != nil { return "✕ " + name + "lost" }
            guard picture.ring.contains(worker.name) else {
                return "  " + name + (worker.isLearning ? "takes the state" : "not in the ring")
            }
            let own = spans.filter { $0.span.worker == worker.name }
            func share(_ phase: PhaseSpan.Phase) -> String {
                let seconds = own.filter { $0.span.phase == phase }
                    .reduce(0) { $0 + $1.span.end - $1.span.start }
                return padded("\(Int((100 * seconds / Self.recent).rounded())) %", -6)
            }
            return "  " + name + padded("\(worker.shards) shards", 10) + " compute"
                + share(.compute) + "  fold" + share(.fold) + "  wait" + share(.wait)
        }
    }

    private func time(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: seconds).formatted(
            Date.VerbatimFormatStyle(
                format:
                    "\(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)",
                timeZone: .gmt, calendar: .init(identifier: .gregorian)))
    }

    private func wrapped(_ text: String, _ columns: Int, _ most: Int) -> [String] {
        var rest = text.visibleLine[...]
        var lines: [String] = []
        while !rest.isEmpty, lines.count < most {
            lines.append(String(rest.prefix(columns)))
            rest = rest.dropFirst(columns)
        }
        return lines
    }
}
