import Foundation
import Links
import Messaging
import Ring
import Settings
import Threads
import Wire

/// Times all-reduce between real processes, each with one shard, and checks every result.
package struct AllReduceBenchmark: Sendable {
    package var workers: Int
    /// Bytes of the vector, multiples of 4.
    package var sizes: [Int]
    package var transport: Transport
    package var collective: Collective
    package var ring = RingConfiguration()
    /// Links over tcp are encrypted, and neighbours prove who they are.
    package var isSecure: Bool
    /// libzmq's I/O threads in each process.
    package var ioThreads = 1
    /// The longest that one size may take.
    package var patience: Duration = .seconds(300)

    package init(
        workers: Int, sizes: [Int], transport: Transport = .auto,
        collective: Collective = .fold, isSecure: Bool = false
    ) {
        precondition(workers > 0, "\(workers) workers")
        precondition(sizes.allSatisfy { $0 > 0 && $0 % 4 == 0 }, "sizes \(sizes)")
        self.workers = workers
        self.sizes = sizes
        self.transport = transport
        self.collective = collective
        self.isSecure = isSecure
    }

    /// The figures of one size; times are the slowest worker's.
    package struct Row: Sendable, Encodable {
        package var bytes: Int
        package var workers: Int
        package var transport: String
        package var collective: String
        package var iterations: Int
        /// Median and 99th percentile (the maximum below 100 iterations), in microseconds.
        package var median: Double
        package var percentile99: Double
        /// Bytes / time, and that times 2(W−1)/W, in 10⁹ bytes a second.
        package var algorithmBandwidth: Double
        package var busBandwidth: Double
        /// Elements that differ from the exact sum, over all workers and iterations.
        package var wrong: Int
        /// Most bytes that one link carried in an iteration, headers included, credits not.
        package var linkBytes: Int
        /// Processor seconds of all workers a 10⁹ bytes of the vector.
        package var processorPerGigabyte: Double
        /// Part of that time which checksums took; the digest of the total, which every step needs,
        /// is not counted.
        package var checksumShare: Double
        /// What a plain tcp connection between two of the members moved each way at once, in 10⁹
        /// bytes a second; with links over tcp.
        package var probeBandwidth: Double?

        enum CodingKeys: String, CodingKey {
            case bytes, workers, transport, collective, iterations, wrong
            case median = "us"
            case percentile99 = "p99_us"
            case algorithmBandwidth = "algbw_GBs"
            case busBandwidth = "busbw_GBs"
            case linkBytes = "link_bytes"
            case processorPerGigabyte = "cpu_s_per_GB"
            case checksumShare = "checksum_share"
            case probeBandwidth = "tcp_probe_GBs"
        }
    }

    /// What can go wrong with a member; the message says more.
    package enum Failure: Error, Sendable {
        /// With the last sentence that it said.
        case ended(rank: Int, ExitStatus, sentence: String?)
        case failed(rank: Int, message: String)
        case timedOut(phase: String)
    }

    static let warmUp = 3

    static func iterations(_ bytes: Int) -> Int { bytes <= 8 << 20 ? 100 : 15 }

    // MARK: Conversation with the members

    /// What a member is told.
    enum Order: Codable, Sendable {
        case join(Membership)
        /// Rank 0 listens and says where, rank 1 connects, both send so much.
        case listen
        case probe(port: Int, bytes: Int)
        case measure(bytes: Int, warmUp: Int, iterations: Int)
        case end
    }

    struct Membership: Codable, Sendable {
        var endpoints: [PeerAddress]
        /// The members' public keys; empty for plain text.
        var keys: [[UInt8]]
        var transport: Transport
        var collective: Collective
        var run: UInt64
    }

    /// What a member says.
    enum Report: Codable, Sendable {
        case ready(rank: Int, PeerAddress, key: [UInt8])
        case formed(rank: Int, lane: Transport?)
        case listening(rank: Int, port: Int)
        case probed(rank: Int, seconds: Double)
        case measured(rank: Int, Measurement)
        case failed(rank: Int, message: String)
    }

    struct Measurement: Codable, Sendable {
        /// Seconds of each iteration.
        var times: [Double]
        var wrong: Int
        var processorSeconds: Double
        var checksumSeconds: Double
        var linkBytes: Int
    }

    /// What the members' sums went over: `mixed` if they differ.
    static func name(_ lanes: [Transport?]) -> String {
        let names = Set(lanes.map { $0?.rawValue ?? "none" })
        return names.count == 1 ? names.first! : "mixed"
    }

    func row(
        _ bytes: Int, _ lane: String, probe: Double?, _ measurements: [Measurement]
    ) -> Row {
        let processor = measurements.reduce(0) { $0 + $1.processorSeconds }
        let checksums = measurements.reduce(0) { $0 + $1.checksumSeconds }
        let count = measurements[0].times.count
        let times = (0..<count).map { index in measurements.map { $0.times[index] }.max()! }
            .sorted()
        let median =
            count % 2 == 1 ? times[count / 2] : (times[count / 2 - 1] + times[count / 2]) / 2
        let last = count < 100 ? count - 1 : (count * 99 + 99) / 100 - 1
        let algorithm = Double(bytes) / median * 1e-9
        let moved = Double(bytes) * Double(count) * 1e-9
        return Row(
            bytes: bytes, workers: workers,
            transport: lane,
            collective: collective.rawValue, iterations: count,
            median: Self.rounded(median * 1e6, 1), percentile99: Self.rounded(times[last] * 1e6, 1),
            algorithmBandwidth: Self.rounded(algorithm, 4),
            busBandwidth: Self.rounded(
                algorithm * 2 * Double(workers - 1) / Double(workers), 4),
            wrong: measurements.reduce(0) { $0 + $1.wrong },
            linkBytes: measurements.reduce(0) { max($0, $1.linkBytes) },
            processorPerGigabyte: Self.rounded(
                processor / moved, 3),
            checksumShare: Self.rounded(checksums / processor, 4),
            probeBandwidth: probe.map { Self.rounded($0, 4) })
    }

    private static func rounded(_ value: Double, _ digits: Int) -> Double {
        let scale = pow(10, Double(digits))
        return (value * scale).rounded() / scale
    }
}
