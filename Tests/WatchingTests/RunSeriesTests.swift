import Checkpoint
import Foundation
import TestKit
import Testing

@testable import Watching

/// A run's `metrics.jsonl` that a test writes.
private struct Metrics {
    let folder: TemporaryFolder
    let paths: RunPaths

    init() throws {
        folder = try TemporaryFolder()
        paths = RunPaths(folder.path)
    }

    static func line(_ step: Int, loss: String) -> String {
        #"{"compute_s":0.5,"epoch":1,"fold_s":0.1,"gradient_norm":2,"layers":[{"gradient_norm":77,"#
            + #""name":"a\"}{"}],"learning_rate":0.001,"loss":\#(loss),"nll":4,"skipped":false,"#
            + #""step":\#(step),"step_s":0.7,"tokens":200,"tokens_per_s":300,"wait_s":0.05,"workers":2}"#
    }

    func write(_ text: String) throws {
        try text.write(toFile: paths.metrics, atomically: false, encoding: .utf8)
    }

    func append(_ text: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: paths.metrics))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }
}

private func value(_ step: Int) -> Double { Double((step * 7919) % 1000) / 8 }

@Suite struct RunSeriesTests {
    private let metrics: Metrics

    init() throws { metrics = try Metrics() }

    private func lines(_ steps: ClosedRange<Int>) -> String {
        steps.map { Metrics.line($0, loss: "\(value($0))") + "\n" }.joined()
    }

    @Test func `blocks hold the least, the greatest and the mean of their steps, at any width`()
        throws
    {
        try metrics.write(lines(1...5000))
        let series = try RunSeries(metrics.paths)
        series.update()
        #expect(series.steps == 5000)
        for (range, points) in [
            (1...5000, 1), (1...5000, 10), (1...5000, 400), (1...5000, 5000), (17...4801, 100),
            (4990...5000, 3), (1...1, 10), (300...299 + 256, 1),
        ] {
            let stretch = series.stretch(range, points: points)
            #expect(stretch.begins.first == range.lowerBound)
            #expect(stretch.blocks.count <= points + 1)
            for (number, begin) in stretch.begins.enumerated() {
                let end =
                    number + 1 < stretch.begins.count
                    ? stretch.begins[number + 1] - 1 : range.upperBound
                let values = (begin...end).map(value)
                let found = stretch.blocks[number][Column.loss.index]
                #expect(Double(found.least) == values.min())
                #expect(Double(found.greatest) == values.max())
                #expect(found.count == values.count)
                let mean = values.reduce(0, +) / Double(values.count)
                #expect(abs(Double(found.mean) - mean) < 1e-3)
                #expect(stretch.blocks[number][Column.gradientNorm.index].mean == 2)
            }
        }
    }

    @Test
    func `what is added is read from where the last look ended, a torn line when it is whole`()
        throws
    {
        try metrics.write(lines(1...100) + Metrics.line(101, loss: "1").dropLast(9))
        let series = try RunSeries(metrics.paths)
        #expect(series.update())
        #expect(series.steps == 100)
        #expect(!series.update())
        try metrics.append(String(Metrics.line(101, loss: "1").suffix(9)) + "\n" + lines(102...300))
        #expect(series.update())
        #expect(series.steps == 300)
        #expect(series.restarts == 0)
        let last = series.stretch(101...101, points: 1).blocks[0][Column.loss.index]
        #expect(last.mean == 1)
    }

    @Test func `a second look begins with the pyramid of the first, and finds the same`() throws {
        try metrics.write(
            lines(1...1000)
                + #"{"labels":9,"step":1000,"validation_loss":3.5,"validation_smoothed_loss":4}"#
                + "\n"
        )
        var stretch: [Float] = []
        do {
            let series = try RunSeries(metrics.paths)
            series.update()
            series.save()
            stretch = series.stretch(1...1000, points: 30).blocks.map { $0[0].mean }
            #expect(series.place == metrics.paths.series)
        }
        try metrics.append(lines(1001...1040))
        let series = try RunSeries(metrics.paths)
        #expect(series.steps == 1000)
        #expect(series.stretch(1...1000, points: 30).blocks.map { $0[0].mean } == stretch)
        #expect(series.heldOut.map(\.step) == [1000])
        #expect(
            series.heldOut[0].figures == ["validation_loss": 3.5, "validation_smoothed_loss": 4])
        series.update()
        let all = series.stretch(1...1040, points: 1).blocks[0][Column.loss.index]
        #expect(all.count == 1040)
        #expect(Double(all.greatest) == (1...1040).map(value).max())
    }

    @Test func `a file that was cut and written again is read anew`() throws {
        try metrics.write(lines(1...200))
        let series = try RunSeries(metrics.paths)
        series.update()
        try metrics.write(lines(1...150) + Metrics.line(151, loss: "9") + "\n" + lines(152...260))
        #expect(series.update())
        #expect(series.restarts == 1)
        #expect(series.steps == 260)
        #expect(series.stretch(151...151, points: 1).blocks[0][Column.loss.index].mean == 9)
    }

    @Test func `who comes second, or cannot write, has a place elsewhere`() throws {
        try metrics.write(lines(1...20))
        let first = try RunSeries(metrics.paths)
        let second = try RunSeries(metrics.paths)
        #expect(first.place == metrics.paths.series)
        #expect(second.place != first.place)
        second.update()
        #expect(second.steps == 20)
    }

    @Test func `no numbers, gaps and nonsense are no figures`() throws {
        try metrics.write(
            [
                Metrics.line(1, loss: "\"nan\""), Metrics.line(2, loss: "\"inf\""), "", "{", "[1]",
                #"{"step":-1}"#, #"{"step":9000000000}"#, #"{"step":"3","loss":4}"#,
                Metrics.line(7, loss: "2"), Metrics.line(5, loss: "99"),
            ].joined(separator: "\n") + "\n")
        let series = try RunSeries(metrics.paths)
        series.update()
        #expect(series.steps == 7)
        let found = series.stretch(1...7, points: 1).blocks[0][Column.loss.index]
        #expect(found.count == 2)
        #expect((found.least, found.greatest) == (2, 4))
    }

    @Test func `damaged lines never end the reader`() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("damaging lines of metrics with seed \(seed)")
        var dice = Dice(seed: seed)
        func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &dice) }
        let whole = Array(lines(1...3).utf8)
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0...below(6) { bytes[below(bytes.count)] = UInt8(below(256)) }
            bytes.removeLast(below(bytes.count))
            var line = MetricsLine()
            for part in bytes.split(separator: 10) {
                part.withUnsafeBytes { _ = line.read($0) }
                #expect(line.step >= 0, "seed \(seed)")
            }
        }
    }
}
