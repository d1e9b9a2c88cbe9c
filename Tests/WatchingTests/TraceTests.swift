import Checkpoint
import Coordination
import Events
import Foundation
import TestKit
import Testing

@testable import Watching

/// A reader of traces that knows nothing of what wrote them.
private struct ReadTrace: Decodable {
    struct Entry: Decodable {
        var name: String
        var ph: String
        var pid: Int
        var tid: Int
        var ts: Double?
        var dur: Double?
    }
    var traceEvents: [Entry]
}

@Suite struct TraceTests {
    let folder: TemporaryFolder
    let paths: RunPaths

    init() throws {
        folder = try TemporaryFolder()
        paths = RunPaths(folder.path)
    }

    /// Steps of two workers; the clocks' offsets are estimated anew in each.
    private func write(steps: Int) throws {
        let file = try EventsFile(paths.events)
        for step in 1...steps {
            let begin = Double(step)
            var spans = [span(.step, nil, step, begin, begin + 1)]
            for (worker, offset) in [
                ("w1", 0.0), ("w10", 0.004), ("w2", step.isMultiple(of: 2) ? 0.01 : 0),
            ] {
                let begin = begin + offset
                spans += [
                    span(.compute, worker, step, begin, begin + 0.6),
                    span(.fold, worker, step, begin + 0.3, begin + 0.9),
                    span(.wait, worker, step, begin + 0.6, begin + 0.9),
                    span(.vote, worker, step, begin + 0.9, begin + 0.95),
                    span(.update, worker, step, begin + 0.95, begin + 0.998),
                ]
            }
            let event = RunEvent(
                number: step, time: 1000 + begin + 1, clock: begin + 1, .phases(spans))
            try file.append(event.json())
        }
    }

    private func span(
        _ phase: PhaseSpan.Phase, _ worker: String?, _ step: Int, _ start: Double, _ end: Double
    ) -> PhaseSpan {
        PhaseSpan(
            phase: phase, worker: worker, step: step, generation: nil, start: start, end: end,
            clockError: worker == nil ? 0 : 0.002)
    }

    @Test func `a lane has one thread's spans, in order, none over another`() throws {
        try write(steps: 9)
        let trace = try #require(Trace(of: paths, steps: 3...5))
        #expect(trace.spans == 3 * 16)
        #expect(trace.clockError == 0.002)
        let read = try JSONDecoder().decode(ReadTrace.self, from: trace.json())
        let lanes = read.traceEvents.filter { $0.name == "thread_name" }
        #expect(lanes.count == 7)
        #expect(Set(lanes.map(\.tid)).count == 7)
        for lane in lanes {
            let spans = read.traceEvents.filter { $0.ph == "X" && $0.tid == lane.tid }
            #expect(!spans.isEmpty)
            for (one, next) in zip(spans, spans.dropFirst()) {
                #expect(one.ts! + one.dur! <= next.ts! + 1e-6, "\(one) \(next)")
            }
            for span in spans { #expect(span.ts! >= 0 && span.dur! >= 0) }
        }
        let rings = read.traceEvents.filter { $0.name == "fold" }
        #expect(Set(rings.map(\.tid)).count == 3)
    }

    @Test func `steps that are not kept have no trace`() throws {
        try write(steps: 3)
        #expect(Trace(of: paths, steps: 4...9) == nil)
        #expect(Trace(of: RunPaths(folder.path + "/none"), steps: 1...9) == nil)
    }
}

@Suite struct PlotTests {
    private let plot = Plot(
        title: "loss <&>",
        lines: [
            .init(name: "runs/a \"<b>\"", points: (1...100).map { (Double($0), 10 / Double($0)) }),
            .init(name: "b", points: [(1, 5), (50, .nan), (100, 4)]),
        ])

    @Test(arguments: [(80, 24), (40, 10), (24, 4), (1, 1), (200, 60)])
    func `characters fit`(columns: Int, rows: Int) {
        let lines = plot.characters(columns: columns, rows: rows)
        #expect(lines.count <= max(4, rows))
        for line in lines { #expect(line.count <= max(24, columns), "\(line)") }
    }

    @Test func `a falling line falls`() throws {
        let lines = plot.characters(columns: 60, rows: 12)
        let rows = (1..<11).map { row in Array(lines[row]).dropFirst(10) }
        func isDrawn(_ character: Character) -> Bool {
            ("\u{2801}"..."\u{28FF}").contains(character)
        }
        let first = try #require(rows.firstIndex { isDrawn($0.first ?? " ") })
        let last = try #require(rows.lastIndex { isDrawn($0.last ?? " ") })
        #expect(first == 0)
        #expect(last >= 8)
    }

    @Test func `SVG is XML, whatever the names`() throws {
        let svg = plot.svg()
        let parser = XMLParserCheck(svg)
        #expect(parser.isWhole)
        #expect(svg.contains("runs/a \"&lt;b&gt;\""))
        #expect(!svg.contains("nan"))
        #expect(Plot(title: "", lines: []).svg().contains("no steps"))
    }

    @Test func `an axis has round numbers`() {
        #expect(Plot.ticks(0...10, most: 5) == [0, 2, 4, 6, 8, 10])
        #expect(Plot.ticks(0.13...0.19, most: 3).count >= 2)
        #expect(Plot.ticks(1...1, most: 3) == [])
    }
}

/// Whether every element that begins ends.
private struct XMLParserCheck {
    let isWhole: Bool

    init(_ text: String) {
        var open: [Substring] = []
        var isWhole = true
        for tag in text.matches(of: /<(\/?)([a-z]+)[^<>]*?(\/?)>/) {
            if tag.1 == "/" {
                isWhole = isWhole && open.popLast() == tag.2
            } else if tag.3 != "/" {
                open.append(tag.2)
            }
        }
        self.isWhole = isWhole && open.isEmpty
    }
}

@Suite struct TensorBoardTests {
    @Test func `checksums are CRC-32C`() {
        // RFC 3720, B.4.
        #expect(TensorBoardRecord.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(TensorBoardRecord.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(TensorBoardRecord.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    }

    @Test func `records are read back, up to the first that is torn or damaged`() {
        let records = [
            TensorBoardRecord.version(time: 1), TensorBoardRecord.start(step: 4, time: 2),
            TensorBoardRecord.scalars([("a", 1.5), ("b", -2)], step: 300, time: 3),
        ]
        let file = records.reduce([], +)
        #expect(TensorBoardRecord.read(file).count == 3)
        #expect(TensorBoardRecord.read(Array(file.dropLast())).count == 2)
        var damaged = file
        damaged[records[0].count + 14] ^= 1
        #expect(TensorBoardRecord.read(damaged).count == 1)
        let bytes = TensorBoardRecord.read(file)[2]
        // wall_time, step 300, summary with two values: tag and simple_value.
        #expect(
            bytes == [9] + TensorBoardRecord.little(3.0.bitPattern) + [16, 0xAC, 2, 42, 20]
                + [10, 8, 10, 1, 97, 21] + TensorBoardRecord.little(Float(1.5).bitPattern)
                + [10, 8, 10, 1, 98, 21] + TensorBoardRecord.little(Float(-2).bitPattern))
    }
}
