import Ring
import Testing

@Suite struct PipelinedFoldTests {
    private struct Dice {
        var state: UInt64
        mutating func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) * 0x1p-53
        }
    }

    /// A backward pass of `pass` seconds that finishes a part of the chunks only at its end.
    private func ready(_ chunks: Int, pass: Double, late: Double) -> [Double] {
        (0..<chunks).map { -pass * max(0, 1 - Double($0 + 1) / (Double(chunks) * (1 - late))) }
    }

    @Test(arguments: [2, 3, 64, 256, 1024], [16, 1000])
    func `the formula agrees with the fold simulated event by event`(workers: Int, credits: Int) {
        for slow in [0, 1, 4] where slow <= workers {
            for (link, add) in [(0.0021, 0.0001), (0.0002, 0.0004)] {
                let fold = PipelinedFold(
                    workers: workers, chunks: 120, add: add, store: add / 2, link: link,
                    latency: 0.0002, slowLinks: slow * workers / 4,
                    ready: ready(120, pass: 0.3, late: 0.4), credits: credits)
                let simulated = FoldSimulation.seconds(fold)
                let ratio = fold.seconds() / simulated
                #expect(ratio > 0.85 && ratio < 1.15, "\(fold): \(simulated) s, ratio \(ratio)")
            }
        }
    }

    @Test(arguments: [64, 256, 1024])
    func `stragglers delay the fold as the formula says`(workers: Int) {
        var dice = Dice(state: 7)
        for round in 0..<3 {
            let late = (0..<workers).map { _ in dice.next() < 0.05 ? 0.5 * dice.next() : 0 }
            let fold = PipelinedFold(
                workers: workers, chunks: 60, add: 0.0002, store: 0.0001, link: 0.002,
                latency: 0.0002, slowLinks: workers / 4,
                ready: ready(60, pass: 0.2, late: 0.4), credits: 1000)
            let ratio = fold.seconds(late: late) / FoldSimulation.seconds(fold, late: late)
            #expect(ratio > 0.85 && ratio < 1.15, "round \(round): ratio \(ratio)")
        }
    }

    @Test func `few credits never stop the simulated fold, they only slow it`() {
        for workers in [2, 3, 9] {
            var previous = Double.infinity
            for credits in [1, 2, 16, 1000] {
                let fold = PipelinedFold(
                    workers: workers, chunks: 40, add: 0.001, store: 0.001, link: 0.001,
                    latency: 0.005, slowLinks: workers, ready: ready(40, pass: 0, late: 0.5),
                    credits: credits)
                let seconds = FoldSimulation.seconds(fold)
                #expect(seconds <= previous * 1.0001)
                previous = seconds
            }
        }
    }
}
