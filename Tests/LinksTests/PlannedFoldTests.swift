import Coordination
import Ring
import Testing

@Suite struct PlannedFoldTests {
    /// A backward pass of 0.3 s that finishes the last two fifths of the chunks at its end.
    private func ready(_ chunks: Int) -> [Double] {
        (0..<chunks).map { -0.3 * max(0, 1 - Double($0 + 1) / (Double(chunks) * 0.6)) }
    }

    /// Vectors cut as the coordinator cuts them (`ChunkSize`), with the ring's own credits: on the fast
    /// and far links among these nothing but credits sets the pace.
    @Test(arguments: [2, 3, 8, 64], [50e-6, 500e-6, 5e-3, 20e-3])
    func `the formula agrees with chunks, credits and links as a ring between hosts has them`(
        workers: Int, latency: Double
    ) {
        for hosts in [2, workers / 2, workers] where hosts > 1 {
            for (bytes, bandwidth) in [
                (2e6, 12.5e6), (2e6, 125e6), (2e6, 1.25e9), (30e6, 12.5e6), (30e6, 125e6),
                (30e6, 1.25e9), (200e6, 1.25e9),
            ] {
                let chunk = ChunkSize.bytes(
                    vector: Int(bytes), workers: workers, underWay: bandwidth * 2 * latency)
                let chunks = (Int(bytes) + chunk - 1) / chunk
                guard chunks * workers < 20_000 else { continue }
                let fold = PipelinedFold(
                    workers: workers, chunks: chunks, add: Double(chunk) * 4e-10,
                    store: Double(chunk) * 2e-10, link: Double(chunk) / bandwidth,
                    latency: 1e-5, slowLinks: hosts, ready: ready(chunks),
                    slowLatency: latency, credits: ChunkSize.credits)
                let ratio = fold.seconds() / FoldSimulation.seconds(fold)
                #expect(
                    ratio > 0.85 && ratio < 1.15,
                    "\(hosts) hosts, \(bytes) bytes at \(bandwidth): ratio \(ratio)")
            }
        }
    }
}
