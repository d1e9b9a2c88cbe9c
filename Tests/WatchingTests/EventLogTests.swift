import Checkpoint
import Coordination
import Events
import Foundation
import TestKit
import Testing

@testable import Watching

private func event(_ number: Int, _ time: Double, _ report: RunReport) -> RunEvent {
    RunEvent(number: number, time: time, clock: time - 1000, report)
}

private func joined(_ name: String) -> RunReport {
    .note(.joined(name: name, host: "node1", processID: 7, threads: 2, waitingFor: 0))
}

private func lost(_ name: String) -> RunReport {
    .note(
        .lost(name: name, host: "node1", reason: .connectionBroke, step: 3, phase: "computing"))
}

private func step(_ number: Int, seconds: Double = 0.5) -> RunReport {
    .step(
        StepReport(
            step: number, epoch: 1, loss: 1, negativeLogLikelihood: 1, learningRate: 1,
            gradientNorm: 1, tokens: 1000,
            timing: StepTiming(step: seconds, compute: 0.1, fold: 0.1, wait: 0), workers: 2,
            isSkipped: false))
}

private func spans(_ step: Int, at time: Double) -> RunReport {
    .phases([
        PhaseSpan(
            phase: .compute, worker: "w1", step: step, generation: nil, start: time - 1000,
            end: time - 999.5, clockError: 0)
    ])
}

@Suite struct EventLogTests {
    let folder: TemporaryFolder
    let paths: RunPaths

    init() throws {
        folder = try TemporaryFolder()
        paths = RunPaths(folder.path)
    }

    private func numbers(_ log: EventLog) -> [Int] {
        var found: [Int] = []
        log.read { found.append($0.number) }
        return found
    }

    @Test func `events are read once each, over the turn of the file`() throws {
        let file = try EventsFile(paths.events, limit: 4000)
        let log = EventLog(paths)
        var told: [Int] = []
        var turns = 0
        for number in 1...200 {
            let line = [UInt8](
                try event(number, 2000 + Double(number), joined("w\(number)")).json())
            if file.isFull(for: line.count) {
                try file.turn()
                turns += 1
            }
            try file.append(line)
            if number.isMultiple(of: 3) { told += numbers(log) }
        }
        told += numbers(log)
        #expect(told == Array(1...200))
        #expect(turns > 5)
        #expect(try folder.entries.filter { $0.hasPrefix("events") }.count == 4)
        for name in try folder.entries {
            #expect(try ReadableFile(folder.path + "/" + name).size <= 4000)
        }
    }

    @Test func `the first look passes over old steps and spans, and nothing else`() throws {
        let file = try EventsFile(paths.events)
        for (number, report) in [
            joined("w1"), step(1), spans(1, at: 2001), step(2), spans(2, at: 2200), lost("w1"),
        ].enumerated() {
            let time = number < 3 ? 2000.0 : 2200.0
            try file.append(event(number + 1, time + Double(number), report).json())
        }
        #expect(numbers(EventLog(paths)) == [1, 4, 5, 6])
        let past = EventLog.events(of: paths, from: 2000, to: 2002)
        #expect(past.map(\.number) == [1, 2, 3])
    }

    @Test func `a torn last line is cut by who goes on with the file`() throws {
        let whole = String(decoding: try event(1, 2000, joined("w1")).json(), as: UTF8.self)
        try (whole + "\n" + whole.prefix(30))
            .write(toFile: paths.events, atomically: false, encoding: .utf8)
        let log = EventLog(paths)
        #expect(numbers(log) == [1])
        let file = try EventsFile(paths.events)
        try file.append(event(2, 2001, joined("w2")).json())
        #expect(numbers(log) == [2])
    }

    @Test func `lines that are no events are passed over`() throws {
        let whole = String(decoding: try event(1, 2000, joined("w1")).json(), as: UTF8.self)
        try ("\n{}\n[\n\u{0}\n" + whole + "\n" + String(repeating: "x", count: 100_000) + "\n")
            .write(toFile: paths.events, atomically: false, encoding: .utf8)
        #expect(numbers(EventLog(paths)) == [1])
    }
}

@Suite struct RunPictureTests {
    private func picture(_ reports: [RunReport], each seconds: Double = 0.5) -> RunPicture {
        var picture = RunPicture()
        for (number, report) in reports.enumerated() {
            picture.take(event(number + 1, 2000 + seconds * Double(number), report))
        }
        return picture
    }

    private func verdict(
        _ picture: RunPicture, after seconds: Double = 0.1, isHeld: Bool = true
    ) -> Verdict {
        picture.verdict(now: picture.toldAt + seconds, isHeld: isHeld, measured: 0)
    }

    @Test func `a run that gets on is healthy, at its pace over the recent steps`() {
        let found = verdict(picture([joined("w1"), step(1), step(2), step(3)]))
        #expect(found.kind == .training(tokensPerSecond: 2000, secondsLeft: nil))
        #expect(found.weight == .good)
    }

    @Test func `a loss is told until the next step, and the worker stays in sight`() {
        let formed = RunReport.note(
            .formed(.init(epoch: 1, counter: 1), members: ["w1", "w2"], bounds: [0, 4, 8]))
        var picture = picture([joined("w1"), joined("w2"), formed, step(1), step(2), lost("w2")])
        #expect(verdict(picture).kind == .recovering(lost: ["w2 on node1"]))
        #expect(verdict(picture).weight == .bad)
        #expect(picture.ring == ["w1"])
        picture.take(event(9, 2004, step(3)))
        #expect(verdict(picture).weight == .good)
        #expect(picture.workers.first { $0.name == "w2" }?.lostAt == 2002.5)
        #expect(picture.workers.first { $0.name == "w1" }?.shards == 4)
    }

    @Test func `who is waited for is named until the next step`() throws {
        let awaited: Awaited = try JSONForm.decoder().decode(
            Awaited.self,
            from: Data(#"{"name":"w3","host":"n","phase":"folding","waiting_for":""}"#.utf8))
        var picture = picture([
            step(1), .note(.awaiting(step: 2, [awaited], milliseconds: 1500)),
        ])
        #expect(verdict(picture).kind == .waits([awaited]))
        #expect(verdict(picture).since == 2000.5 - 1.5)
        picture.take(event(3, 2003, step(2)))
        #expect(verdict(picture).weight == .good)
    }

    @Test func `a full disk pauses the run until the ledger is written again`() {
        let error = CheckpointError.io(path: "/run/ledger.jsonl", operation: .write, code: 28)
        var picture = picture([step(1), .ledgerFailed(error), .ledgerFailed(error)])
        #expect(verdict(picture, after: 100).kind == .paused(error))
        #expect(verdict(picture).since == 2000.5)
        picture.take(event(4, 2009, .ledgerRecovered(seconds: 8)))
        #expect(verdict(picture).weight == .good)
    }

    @Test func `silence is told, and a coordinator that is gone`() {
        let running = picture([step(1), step(2)])
        #expect(verdict(running, after: 30).kind == .slow(step: 3, usual: 0.5))
        #expect(verdict(running, after: 30, isHeld: false).kind == .abandoned(step: 2))
        #expect(verdict(running, after: 0.2, isHeld: false).weight == .good)
        let ended = picture([step(1), .ended(Ending(.finished(step: 1), step: 1))])
        #expect(verdict(ended, after: 1e6, isHeld: false).weight == .over)
        let failed = picture([step(1), .ended(Ending(nil, step: 1))])
        #expect(verdict(failed).weight == .bad)
        let old = RunPicture().verdict(now: 1, isHeld: false, measured: 9)
        #expect(old.kind == .measured(step: 9))
    }
}
