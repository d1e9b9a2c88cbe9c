import Measuring
import Words

/// `bench step`.
extension Entry {
    static func bench(_ request: StepBenchRequest) throws {
        Endings.ofBenchmark()
        let result = try StepBenchmark(
            configuration: request.configuration, batch: request.batch, length: request.length,
            steps: request.steps, corpus: request.corpus, profiles: request.profile,
            software: Dtrain.software
        ).run(requests: Signals())
        if request.json { return try StandardOutput.write(json: result) }
        func share(_ rate: Double) -> String { fixed(rate / result.peakGigaflops * 100, 0) }
        let small =
            result.smallProductGigaflops == 0
            ? "" : ", small ones \(share(result.smallProductGigaflops)) %"
        try StandardOutput.write(
            """
            tokens/s      \(grouped(Int(result.tokensPerSecond.rounded())))
            step          \(fixed(result.stepMilliseconds, 1)) ms: \
            \(fixed(result.computeMilliseconds, 1)) computing, \
            \(fixed(result.waitMilliseconds, 1)) waiting for the fold
            arithmetic    \(fixed(result.gigaflops, 1)) GFLOP/s, \(share(result.gigaflops)) % of the \
            cores' peak of \(fixed(result.peakGigaflops, 1))
            products      alone \(fixed(result.productGigaflops, 1)) GFLOP/s, \
            \(share(result.productGigaflops)) %\(small)
            parameters    \(grouped(result.parameters))
            worker        \(fixed(result.peakMegabytes, 0)) MB at most
            first step    \(fixed(result.startSeconds, 2)) s after the start

            """)
        if let profile = result.profile { try show(profile) }
    }

    private static func show(_ profile: [StepProfile.Row]) throws {
        try StandardOutput.write("\na batch's gradients on one thread:\n")
        for row in profile {
            let rate =
                row.gigaflops > 0
                ? "\(fixed(row.gigaflops, 1)) GFLOP/s"
                : "\(fixed(row.gigabytesPerSecond, 1)) GB/s"
            try StandardOutput.write(
                padded(row.primitive, 22) + padded("\(fixed(row.milliseconds, 2)) ms", -12)
                    + padded(rate, -16) + padded("\(fixed(row.share * 100, 1)) %", -9) + "\n")
        }
    }
}
