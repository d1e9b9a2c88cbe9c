import Checkpoint
import Coordination
import Events
import Foundation
import Preparation
import Resources
import Settings
import Watching
import Words

/// What the page shows: reads the folders of runs as they grow, and tells readers what is new.
///
/// Nothing of a run depends on it, and nothing of a folder is changed but `series` and `page-token`.
package final class PageDesk: @unchecked Sendable {
    let feed = PageFeed()
    let software: String
    private let paths: [RunPaths]
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var isStopped = false
    private let lock = NSLock()
    // Guarded by `lock`.
    private var series: [RunSeries?]
    private var events: EventLog
    private var picture = RunPicture()
    private var tally = Tally()
    private var log: [LogLine] = []
    private var spans: [PageSpan] = []
    private var shown: PictureMessage?
    private var shownAt = 0.0
    private var lookedAt = 0.0
    /// The ledger's last line, and the step at which it was read.
    private var bits: (step: Int, last: LedgerView.Bits?) = (-1, nil)
    private var heldShown: [RunSeries.HeldOut] = []
    private var restarts = 0
    private var savedAt = 0.0
    private var otherAt = 0.0
    private lazy var advice = Self.advice(paths[0])

    /// Sentences and seconds of spans that a reader begins with.
    private static let logKept = 500
    private static let spansKept = 90.0
    private static let mostSpans = 40_000
    private static let spansAtFirst = 6000
    /// Bytes of `metrics.jsonl` that are read at once: queries wait so long.
    private static let piece = 16 << 20

    /// - Parameter paths: of the run that the page is about, then of those beside it.
    package init(_ paths: [RunPaths], software: String) {
        precondition(!paths.isEmpty, "no run to show")
        self.paths = paths
        self.software = software
        series = paths.map { try? RunSeries($0) }
        events = EventLog(paths[0])
    }

    /// Reads what has come, again and again, until the run ends, if `untilEnd`, or `stop` is called.
    package func run(untilEnd: Bool) {
        while true {
            let isOver = look()
            if untilEnd, isOver {
                feed.end()
                return
            }
            let pause = feed.readers > 0 || isBehind ? 0.25 : 1
            let deadline = Date(timeIntervalSinceNow: isBehind ? 0 : pause)
            let stopped = condition.withLock {
                if !isStopped { _ = condition.wait(until: deadline) }
                return isStopped
            }
            if stopped { return feed.end() }
        }
    }

    /// Ends `run`.
    package func stop() {
        condition.withLock {
            isStopped = true
            condition.broadcast()
        }
    }

    private var isBehind: Bool { lock.withLock { series.contains { ($0?.progress ?? 1) < 0.95 } } }

    /// Looks once. Returns whether the run is over.
    func look(at now: Double = Date().timeIntervalSince1970) -> Bool {
        lock.withLock {
            var messages: [[UInt8]] = []
            var new: [PageSpan] = []
            var isNews = false
            events.read { event in
                isNews = true
                picture.take(event)
                tally.take(event.report)
                let base = event.time - event.clock
                switch event.report {
                case .phases(let phases): new += phases.map { PageSpan(span: $0, base: base) }
                case .step(let step): messages.append(StepMessage(step, time: event.time).page)
                default: break
                }
                for line in Self.lines(event) {
                    log.append(line)
                    messages.append(line.page)
                }
            }
            if !new.isEmpty { messages.append(PageSpan.message(new)) }
            spans += new
            trim(now)
            messages += readSeries(now)
            // Silence tells something, too, but not four times a second.
            if isNews || now - lookedAt >= 1 {
                lookedAt = now
                let message = pictureMessage(now)
                // Readers know by this that the page still looks.
                if message != shown || now - shownAt >= 2 {
                    (shown, shownAt) = (message, now)
                    messages.append(message.page)
                }
            }
            feed.post(messages)
            return picture.ending != nil
        }
    }

    private func trim(_ now: Double) {
        if log.count > Self.logKept { log.removeFirst(log.count - Self.logKept) }
        let last = picture.toldAt
        spans.removeAll { $0.end < last - Self.spansKept }
        if spans.count > Self.mostSpans { spans.removeFirst(spans.count - Self.mostSpans) }
    }

    private func readSeries(_ now: Double) -> [[UInt8]] {
        guard let own = series[0] else { return [] }
        own.update(limit: Self.piece)
        if own.progress >= 1 || now - otherAt > 5 {
            otherAt = now
            for other in series.dropFirst() where other?.update(limit: Self.piece) == true { break }
        }
        if now - savedAt > 10 {
            savedAt = now
            for one in series { one?.save() }
        }
        var messages: [[UInt8]] = []
        if own.restarts != restarts {
            restarts = own.restarts
            messages.append(PlainMessage(kind: "restarted").page)
        }
        if own.heldOut != heldShown {
            heldShown = own.heldOut
            messages.append(HeldMessage(held: heldShown).page)
        }
        return messages
    }

    // MARK: what is asked for

    /// All that the first picture needs.
    func start(at now: Double = Date().timeIntervalSince1970) -> [UInt8] {
        lock.withLock {
            let message = StartMessage(
                boot: feed.boot, seq: feed.last, now: now, software: software,
                columns: Column.allCases.map(\.rawValue),
                runs: zip(paths, series).map { paths, series in
                    StartMessage.Run(
                        name: paths.folder.split(separator: "/").last.map(String.init) ?? "/",
                        folder: paths.folder, steps: series?.steps ?? 0)
                },
                picture: pictureMessage(now), log: log, held: series[0]?.heldOut ?? [])
            return message.page(with: spans.suffix(Self.spansAtFirst))
        }
    }

    /// The series of a run; nil where there is no such run.
    func stretch(_ run: Int, _ steps: ClosedRange<Int>, points: Int) -> [UInt8]? {
        lock.withLock {
            guard series.indices.contains(run), let one = series[run] else { return nil }
            return one.stretch(steps, points: min(points, 4000)).json
        }
    }

    /// What has been found on the held-out part of a run.
    func held(_ run: Int) -> [UInt8]? {
        lock.withLock {
            guard series.indices.contains(run) else { return nil }
            return HeldMessage(held: series[run]?.heldOut ?? []).page
        }
    }

    /// A stretch of the past, in seconds since 1970.
    func timeline(from: Double, to: Double) -> [UInt8] {
        var log: [LogLine] = []
        var spans: [PageSpan] = []
        // Spans are told after they have ended.
        for event in EventLog.events(of: paths[0], from: from, to: to + 30) {
            let base = event.time - event.clock
            if case .phases(let phases) = event.report {
                spans += phases.map { PageSpan(span: $0, base: base) }
                    .filter { $0.end >= from && $0.base + $0.span.start <= to }
            }
            if event.time <= to { log += Self.lines(event) }
        }
        return TimelineMessage(log: log).page(with: spans.suffix(Self.mostSpans))
    }

    /// The first step at which the bits of another run differ from this one's, in words.
    func comparison(with run: Int) -> String? {
        guard paths.indices.contains(run), run > 0 else { return nil }
        switch LedgerView(paths[0]).compare(with: LedgerView(paths[run])) {
        case .nothingInCommon: return "no step is in both ledgers"
        case .equal(let step): return "equal in every bit through step \(grouped(step))"
        case .differs(let step): return "the first step that differs is \(grouped(step))"
        }
    }

    /// Hands over what is known of the run.
    func withPicture<Result>(
        _ body: (RunPicture, Tally, RunSeries.HeldOut?, Verdict) -> Result
    ) -> Result {
        lock.withLock {
            body(
                picture, tally, series[0]?.heldOut.last,
                picture.verdict(
                    now: Date().timeIntervalSince1970,
                    isHeld: CoordinatorLock.isHeld(paths[0].lock), measured: series[0]?.steps ?? 0))
        }
    }

    // MARK: parts

    private func pictureMessage(_ now: Double) -> PictureMessage {
        let steps = series[0]?.steps ?? 0
        let verdict = picture.verdict(
            now: now, isHeld: CoordinatorLock.isHeld(paths[0].lock), measured: steps)
        var left: Double?
        if case .training(_, let seconds) = verdict.kind { left = seconds?.rounded() }
        let step = max(picture.step?.step ?? 0, steps)
        if bits.step != step { bits = (step, LedgerView(paths[0]).last) }
        let progress = series[0]?.progress ?? 1
        return PictureMessage(
            verdict: verdict.sentence(in: paths[0].folder, advice),
            weight: verdict.weight.rawValue, since: verdict.since, asOf: verdict.asOf,
            step: step, steps: picture.lastStep,
            secondsLeft: left, parameters: picture.summary?.parameters,
            address: picture.listening?.address.description, checkpoint: picture.checkpoint,
            bits: bits.last.map {
                PictureMessage.Bits(
                    step: $0.step, total: $0.total, state: $0.state,
                    workers: picture.step.map(\.workers))
            },
            workers: picture.workers.map { worker in
                PictureMessage.Worker(
                    name: worker.name, host: worker.host, threads: worker.threads,
                    shards: worker.shards, state: state(worker), lostAt: worker.lostAt)
            },
            ring: picture.ring, reading: progress < 0.95 ? (progress * 100).rounded() / 100 : nil)
    }

    private func state(_ worker: RunPicture.Worker) -> String {
        if worker.lostAt != nil { return "lost" }
        if picture.ring.contains(worker.name) { return "member" }
        return worker.isLearning ? "learning" : "waiting"
    }

    private static func lines(_ event: RunEvent) -> [LogLine] {
        let (mark, worker) = mark(event.report)
        return event.report.remarks.enumerated().map { number, remark in
            LogLine(
                time: event.time, text: remark.sentence, warns: remark.isWarning,
                worker: number == 0 ? worker : nil, mark: number == 0 ? mark : nil)
        }
    }

    private static func mark(_ report: RunReport) -> (mark: String?, worker: String?) {
        switch report {
        case .checkpoint: ("saved", nil)
        case .note(.lost(let name, _, _, _, _)): ("lost", name)
        case .note(.joined(let name, _, _, _, _)): ("joined", name)
        case .note(.teaching(let name, _)): ("learns", name)
        case .note(.formed): ("ring", nil)
        default: (nil, nil)
        }
    }

    private static func advice(_ paths: RunPaths) -> Advice {
        let configuration = try? SavedSettings(of: paths.folder).configuration
        return Advice(
            command: "train", folder: paths.folder, configuration: configuration ?? .standard)
    }
}
