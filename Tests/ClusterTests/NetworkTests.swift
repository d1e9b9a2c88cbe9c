import Foundation
import TestKit
import Testing

extension ClusterTests {
    /// Four workers on four hosts, their coordinator on a fifth, encrypted. The long form is
    /// `cluster/check-networks`.
    @Suite(
        "Many hosts",
        .enabled(
            if: Hosts.hindrance == nil,
            "\(Hosts.hindrance.map { "no hosts can be made here: \($0)" } ?? "")"))
    struct Networks {
        /// About 100,000 parameters: more than one chunk of the ring.
        static let model = """
            --corpus \(Cluster.excerpt) --vocabulary 300 --d-model 64 --layers 1 --heads 2 \
            --d-ff 128 --batch-tokens 1024 --validate-every 0 --log-every 1
            """
        /// Four hundred steps on a busy machine.
        static let patience = 180.0
        static let short = 30
        /// Fewer than after which the ring may go around what looks like a slow link.
        static let brief = 7
        static let long = 400

        /// Digest and parameters of a run by one worker on one host.
        struct Truth {
            let digest: String
            let parameters: Int

            init(steps: Int) throws {
                let cluster = try Cluster()
                let train = try cluster.start(
                    "train --run run --workers 1 --threads 1 --steps \(steps) \(Networks.model)",
                    as: "train")
                try train.waitForEnd(within: Networks.patience)
                digest = try #require(train.digest)
                let words = try train.waitFor("model: ").text.split(separator: " ")
                let index = try #require(words.firstIndex(of: "parameters,"))
                parameters = try #require(Int(words[index - 1].filter(\.isNumber)))
            }

            static let brief = Result { try Truth(steps: Networks.brief) }
            static let short = Result { try Truth(steps: Networks.short) }
            static let long = Result { try Truth(steps: Networks.long) }
        }

        let hosts: Hosts
        let cluster: Cluster

        init() throws {
            hosts = try Hosts(5)
            cluster = try Cluster()
        }

        /// A run that has formed its first ring.
        struct Run {
            let coordinator: RunningProgram
            /// By host.
            var workers: [Int: RunningProgram]

            /// What the coordinator calls the worker of a host.
            func name(_ host: Int) throws -> String {
                let line = try coordinator.waitFor("joined from h\(host) ").text
                let words = line.split(separator: " ").map(String.init)
                return words[try #require(words.firstIndex(of: "worker")) + 1]
            }

            /// The hosts in the order of the first ring.
            var order: [Int] {
                get throws {
                    try workers.keys.sorted { try name($0) < name($1) }
                }
            }
        }

        private func begin(
            _ line: String = "", bind: String = "tcp://0.0.0.0:5555",
            connect: String = "tcp://10.77.0.10:5555", steps: Int = short,
            on places: [Int] = [1, 2, 3, 4], words: (Int) -> String = { _ in "" }
        ) throws -> Run {
            let coordinator = try cluster.start(
                "coordinator --run run --bind \(bind) --workers 4 --wait-for-all --steps \(steps) "
                    + "\(Self.model) \(line)", on: 0, of: hosts, as: "coordinator")
            var workers: [Int: RunningProgram] = [:]
            for host in places {
                workers[host] = try cluster.start(
                    "worker --connect \(connect) --threads 1 --token-file run/token \(words(host))",
                    on: host, of: hosts, as: "worker on h\(host)")
            }
            try coordinator.waitFor("ring 1.1")
            return Run(coordinator: coordinator, workers: workers)
        }

        /// Checks that the run has ended with the digest of one worker on one host, and that every
        /// byte of its rings went over tcp.
        ///
        /// - Returns: the bytes that each worker has sent, by host.
        @discardableResult
        private func expectSameBits(
            _ run: Run, as truth: Result<Truth, any Error> = Truth.short
        ) throws -> [Int: Int] {
            #expect(
                try run.coordinator.waitForEnd(within: Self.patience) == 0,
                "\(run.coordinator.account)")
            #expect(
                run.coordinator.digest == (try truth.get().digest), "\(run.coordinator.account)")
            var sent: [Int: Int] = [:]
            for (host, worker) in run.workers {
                #expect(try worker.waitForEnd() == 0, "\(worker.account)")
                let line = try worker.waitFor("the ring has sent").text
                let numbers = line.split(separator: " ").compactMap {
                    Int($0.filter { $0 != "," })
                }
                #expect(numbers.count == 2 && numbers[0] == numbers[1], "\(line)")
                sent[host] = numbers.first
            }
            #expect(sent.values.allSatisfy { $0 > 0 }, "\(sent)")
            return sent
        }

        /// What carries a vector: every frame has a header of 80 bytes, and holds 32 KiB of one as
        /// short as this.
        private static var vectorBytes: Int {
            get throws {
                let bytes = 4 * (try Truth.short.get().parameters)
                return bytes + 80 * ((bytes + (32 << 10) - 1) / (32 << 10))
            }
        }

        @Test func `links carry what the cost model of the fold says`() throws {
            let run = try begin(steps: Self.brief)
            let sent = try expectSameBits(run, as: Truth.brief)
            let vector = try Self.vectorBytes
            // The sum goes from the first to the last, the total from there on to the last but one.
            for (rank, host) in try run.order.enumerated() {
                let vectors = (rank == 3 ? 0 : 1) + (rank == 2 ? 0 : 1)
                #expect(sent[host] == Self.brief * vectors * vector, "rank \(rank)")
            }
        }

        @Test func `of several workers on a host one link carries the fold`() throws {
            let coordinator = try cluster.start(
                "coordinator --run run --bind tcp://0.0.0.0:5555 --workers 4 --wait-for-all "
                    + "--steps \(Self.short) \(Self.model)", on: 0, of: hosts, as: "coordinator")
            // Those of a host do not come one after the other.
            let workers = try [1, 2, 1, 2].enumerated().map { number, host in
                try cluster.start(
                    "worker --connect tcp://10.77.0.10:5555 --threads 1 --token-file run/token",
                    on: host, of: hosts, as: "worker \(number) on h\(host)")
            }
            #expect(
                try coordinator.waitForEnd(within: Self.patience) == 0, "\(coordinator.account)")
            #expect(
                coordinator.digest == (try Truth.short.get().digest), "\(coordinator.account)")
            let overTCP = try workers.map { worker in
                let line = try worker.waitFor("the ring has sent").text
                let numbers = line.split(separator: " ").compactMap {
                    Int($0.filter { $0 != "," })
                }
                return try #require(numbers.last)
            }
            // Partial sums and totals go to the second host, totals come back; the rest stays inside.
            let all = Self.short * (try Self.vectorBytes)
            #expect(overTCP.sorted() == [0, 0, all, 2 * all])
            // The hosts' own counters: what was received, what was sent.
            let counted = try [1, 2].map { host in
                try hosts.tell("bytes", "\(host)").split(separator: " ").compactMap {
                    Int($0.filter(\.isNumber))
                }
            }
            let first = counted[0][1] > counted[1][1] ? counted[0] : counted[1]
            // Headers of tcp and of encryption, batches, heartbeats.
            for (bytes, vectors) in [(first[0], 1), (first[1], 2)] {
                #expect(bytes > vectors * all && bytes < (vectors * all) * 6 / 5 + 1_000_000)
            }
        }

        @Test(arguments: ["tcp://[fd77::10]:5555", "tcp://h0:5555"])
        func `by IPv6 and by names of both families`(address: String) throws {
            // The own name of the host with coordinator and worker leads to 127.0.1.1 there.
            let places = address.contains("h0") ? [0, 1, 2, 3] : [1, 2, 3, 4]
            try expectSameBits(
                try begin(bind: "tcp://[::]:5555", connect: address, on: places))
        }

        @Test func `a name that leads to loopback is not bound for others`() throws {
            let refused = try cluster.start(
                "coordinator --run run --bind tcp://h0:5555", on: 0, of: hosts, as: "coordinator")
            #expect(try refused.waitForEnd() == ExitCode.usage)
            try refused.waitFor("--bind 'h0' leads to 127.0.1.1 here")
        }

        @Test func `one open port on each host is enough`() throws {
            try hosts.tell("ports", "0", "5555")
            for host in 1...4 { try hosts.tell("ports", "\(host)", "5556") }
            try expectSameBits(try begin { _ in "--ring-port 5556" })
        }

        @Test func `workers behind NAT join by relay`() throws {
            for host in [3, 4] { try hosts.tell("nat", "\(host)") }
            let run = try begin { $0 >= 3 ? "--relay" : "" }
            try run.coordinator.waitFor("on h4 can only connect outwards")
            try expectSameBits(run)
        }

        @Test func `a ring goes around a link of which one direction is lost`() throws {
            // So slow that the machine's other work does not make one look worse than the others.
            for host in 1...4 { try hosts.tell("rate", "\(host)", "30mbit") }
            let run = try begin("--peer-timeout 1500ms")
            try run.coordinator.waitFor(step: 2)
            let order = try run.order
            try hosts.tell("drop", "\(order[1])", "\(order[0])")
            try run.coordinator.waitFor(
                "w1 on h\(order[0]) and worker w2 on h\(order[1]) are heard but do not reach")
            let gone = run.coordinator.lines.filter { $0.text.contains("is gone") }
            #expect(gone.isEmpty, "\(gone)")
            try expectSameBits(run)
        }

        @Test(arguments: [true, false])
        func `who no longer hears the coordinator or is not heard is lost, told so, and comes back`(
            isDeaf: Bool
        ) throws {
            let run = try begin("--peer-timeout 1s", steps: Self.long)
            try run.coordinator.waitFor(step: 5)
            let name = try run.name(2)
            try hosts.tell("drop", isDeaf ? "2" : "0", isDeaf ? "0" : "2")
            try run.coordinator.waitFor("worker \(name) on h2 is gone", "has not been heard for")
            try hosts.tell("undrop", isDeaf ? "2" : "0")
            try run.workers[2]?.waitFor("calls this worker w5")
            let gone = run.coordinator.lines.filter { $0.text.contains("is gone") }
            #expect(
                gone.first?.text.contains("worker \(name) on h2") == true,
                "\(run.coordinator.account)")
            try expectSameBits(run, as: Truth.long)
        }

        @Test func `a host that is cut off and healed comes back, so does the coordinator's`()
            throws
        {
            let run = try begin("--peer-timeout 1s", steps: Self.long)
            try run.coordinator.waitFor(step: 5)
            let name = try run.name(3)
            try hosts.tell("cut", "3")
            try run.coordinator.waitFor("worker \(name) on h3 is gone", "not been heard")
            try hosts.tell("heal", "3")
            try run.workers[3]?.waitFor("calls this worker w5")
            try hosts.tell("cut", "0")
            try run.coordinator.waitFor("all workers are gone")
            try hosts.tell("heal", "0")
            try expectSameBits(run, as: Truth.long)
        }
    }
}
