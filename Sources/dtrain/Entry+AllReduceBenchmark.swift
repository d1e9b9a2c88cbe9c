import ArgumentParser
import Measuring
import Ring
import Settings
import Words

/// `bench all-reduce`.
extension Entry {
    static func bench(_ request: AllReduceBenchRequest) throws {
        Endings.ofBenchmark()
        var benchmark = AllReduceBenchmark(
            workers: request.workers, sizes: request.bytes,
            transport: request.transport,
            collective: request.collective, isSecure: request.secure)
        benchmark.ring.streams = !request.onePort
        if !request.json { try StandardOutput.write(AllReduceBenchmark.Row.header) }
        try benchmark.run(arguments: [AllReduceMembership.name]) { row in
            if request.json {
                try StandardOutput.write(json: row)
            } else {
                try StandardOutput.write(row.line)
            }
        }
    }
}

extension AllReduceBenchmark.Row {
    fileprivate static let header =
        """
              bytes  workers  lane    collective    median    99th pct  algbw GB/s  busbw GB/s  \
        cpu s/GB  checksums     link bytes  wrong

        """

    fileprivate var line: String {
        [
            padded(grouped(bytes), -11), padded("\(workers)", -9), "  " + padded(transport, 8),
            padded(collective, 10), padded("\(fixed(median, 0)) µs", -10),
            padded("\(fixed(percentile99, 0)) µs", -12), padded(fixed(algorithmBandwidth, 3), -12),
            padded(fixed(busBandwidth, 3), -12), padded(fixed(processorPerGigabyte, 2), -10),
            padded(fixed(100 * checksumShare, 1) + " %", -11), padded(grouped(linkBytes), -15),
            padded("\(wrong)", -7),
            probeBandwidth.map { "  (plain tcp: \(fixed($0, 3)) GB/s each way)" } ?? "",
        ].joined() + "\n"
    }
}

/// A process of `bench all-reduce`; it is started by that command alone.
struct AllReduceMembership: ParsableCommand {
    static let name = "all-reduce-member"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Argument(parsing: .allUnrecognized)
    var words: [String]

    func run() throws { try AllReduceMember.run(words) }
}
