import ArgumentParser
import Foundation
import Resources
import Simulation
import Words

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs the protocol through seeded chaos, without sockets or files.",
        discussion: """
            Each seed is a whole training of toy numbers by the real state machines over a network \
            that delays, repeats and cuts, with processes that are killed and stopped and a disk \
            that forgets. Ends with 1 if a seed lost or doubled a sample, committed a step \
            twice, ended with other bits or did not end at all, and says how to replay it. Each \
            seed has a random half of all faults and features switched off. From \
            \(grouped(Simulator.campaign)) seeds on it also ends with 1 if a rare branch, such \
            as the end of a donor that gives, was never met.

            EXAMPLES
              dtrain simulate --seeds 20000
              dtrain simulate --trace 17
              dtrain simulate --seeds 500 --canary \(Canary.names.first ?? "")
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many seeds from 1, or the first and the last.", valueName: "n|a..b")
    )
    var seeds = "500"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Switch a known mistake on, which must then be found.",
            valueName: Canary.names.joined(separator: "|")),
        completion: .list(Canary.names))
    var canary: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Run this seed alone and print all that happens.", valueName: "seed"))
    var trace: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads that simulate. (default: all cores)", valueName: "n"))
    var threads: String?

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let mistake = try canary.map { name throws(Failure) in
            guard let canary = Canary(name: name) else {
                throw .usage(.takes("--canary", .names(Canary.names), not: name))
            }
            return canary
        }
        let threads = try threads.map { try whole("--threads", $0, 1...1024) }
        if let trace {
            let seed = try whole("--trace", trace, 0...Int.max)
            return try Entry.trace(seed: UInt64(seed), mistake, json: json)
        }
        let last = seeds.contains("..") ? nil : try whole("--seeds", seeds, 1...1_000_000_000)
        let range = try last.map { 1...$0 } ?? stretch("--seeds", seeds, startingAt: 0)
        try Entry.simulate(
            SimulateRequest(
                seeds: range, canary: mistake,
                threads: threads ?? Processors.usable.count, json: json))
    }
}
