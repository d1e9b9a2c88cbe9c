import Checkpoint
import Foundation
import Messaging
import Processes
import TestKit
import Testing
import Wire

extension ClusterTests {
    /// Whoever is not let in hears why in one sentence, the coordinator says it in one, and the run
    /// that goes on meanwhile gives the bits of the undisturbed one.
    @Suite("Nobody gets in")
    struct NobodyGetsIn {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        private func port(_ address: String) throws -> UInt16 {
            try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
        }

        @Test func `tokens that are none, wrong, of another run or out of date`() throws {
            let other = try RunKeys.passing().token
            let run = try cluster.coordinator("--workers 1 --steps 2000 --peer-timeout 60s")
            let address = try run.address
            let token = try cluster.token
            let worker = try cluster.worker(of: run)
            try run.waitFor(step: 5)
            // The run waits while others knock.
            worker.stop()
            try expectRefusal(
                cluster.start("worker --connect \(address)", as: "without"), code: ExitCode.usage,
                words: ["give --token-file RUN/token"])
            var mistyped = token.text
            mistyped.append(mistyped.removeLast() == "0" ? "1" : "0")
            try expectRefusal(
                cluster.start("worker --connect \(address) --token \(mistyped)", as: "mistyped"),
                code: ExitCode.usage, words: ["checksum does not match"])
            // The run's coordinator, but not its workers' secret.
            let wrong = Token(coordinator: token.coordinator, workers: other.workers)
            var mark = run.mark
            try expectRefusal(
                cluster.start("worker --connect \(address) --token \(wrong.text)", as: "wrong"),
                code: 1, words: ["refuses the token"])
            try run.waitFor("from 127.0.0.1 was turned away: its token or key", after: mark)
            mark = run.mark
            try expectRefusal(
                cluster.start("worker --connect \(address) --token \(other.text)", as: "other"),
                code: 1, words: ["is not the token's coordinator"])
            try run.waitFor("was turned away: its token is another run's", after: mark)
            // Askers need it as well.
            try expectRefusal(
                cluster.start("status --connect \(address) --token \(wrong.text)", as: "asker"),
                code: 1, words: ["refuses the token"])
            worker.resume()
            try expectUndisturbed(run, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: [worker])
        }

        @Test func `plain text to an encrypted coordinator, and the reverse`() throws {
            let run = try cluster.coordinator("--workers 1 --steps 300")
            let address = try run.address
            let plain = try cluster.start("worker --insecure --connect \(address)", as: "plain")
            try expectRefusal(plain, code: 1, words: ["encrypts: give the run's token"])
            try run.waitFor("a connection", "was turned away: it ")
            let worker = try cluster.worker(of: run)
            try expectUndisturbed(run, in: cluster, as: Undisturbed.long)
            try expectEnds(of: [worker])

            let open = try cluster.start(
                "coordinator --run open --bind tcp://127.0.0.1:0 \(Cluster.tiny) --insecure "
                    + "--workers 1 --steps 60", as: "open")
            try open.waitFor("INSECURE: ")
            let secured = try cluster.start(
                "worker --connect \(try open.address) --token-file run/token", as: "secured")
            // Which of two sentences depends on whose end of the connection closes first.
            try expectRefusal(secured, code: 1, words: ["runs --insecure"])
            try open.waitFor("a connection", "was turned away: it ")
            let guest = try cluster.start(
                "worker --insecure --connect \(try open.address)", as: "guest")
            #expect(try open.waitForEnd() == 0, "\(open.account)")
            #expect(open.digest == (try Undisturbed.short.get()).digest)
            try expectEnds(of: [guest])
        }

        @Test func `a handshake that is played again`() throws {
            let run = try cluster.coordinator("--workers 1 --steps 2000")
            let tap = try Wiretap(to: port(run.address))
            let worker = try cluster.start(
                "worker --connect tcp://127.0.0.1:\(tap.port) --token-file run/token --threads 1",
                as: "worker")
            try run.waitFor(step: 5)
            // The application under the token's key, and the work under the worker's own.
            let heard = tap.all.filter { !$0.sent.isEmpty }
            #expect(heard.count >= 2)
            for recording in heard {
                let mark = run.mark
                let again = try Wiretap.connect(to: port(run.address))
                defer { close(again) }
                // Greeting, HELLO and INITIATE (ZMTP 3.1, CurveZMQ), each when the answer to the one
                // before is there.
                var rest = recording.sent[...]
                for (bytes, answer) in [(64, 64), (202, 170), (rest.count, 0)] {
                    let part = Array(rest.prefix(bytes))
                    rest = rest.dropFirst(bytes)
                    _ = part.withUnsafeBytes {
                        send(again, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    var heard = [UInt8](repeating: 0, count: answer)
                    let count = recv(again, &heard, answer, Int32(MSG_WAITALL))
                    #expect(count == answer)
                }
                // It is cut off without having reached anybody.
                var byte: UInt8 = 0
                while recv(again, &byte, 1, 0) > 0 {}
                #expect(!run.lines.dropFirst(mark).contains { $0.text.contains("joined") })
            }
            try run.waitFor("was turned away: its token is another run's, or bytes were altered")
            try expectUndisturbed(run, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: [worker])
        }

        @Test func `who has the token and connects to another's ring`() throws {
            let run = try cluster.coordinator("--workers 2 --steps 2000 --secure")
            let worker = try cluster.worker(
                of: run, "--threads 1 --ring-port 17011-17099", as: "first")
            let other = try cluster.worker(of: run, as: "second")
            try run.waitFor(step: 5)
            // A worker's key is known to neighbours alone; even who has it is no neighbour.
            let ports = try Self.listeningPorts(of: worker.processID)
            let ring = try #require(ports.first { (17_011...17_099).contains($0) })
            let stranger = try Stranger(
                to: "tcp://127.0.0.1:\(ring)",
                .client(try KeyPair.random(), server: try cluster.token.coordinator))
            let failure = try stranger.failure()
            guard case .cutOff = failure else {
                Issue.record("\(failure)")
                return
            }
            try worker.waitFor("a connection", "was turned away")
            let plain = try Stranger(to: "tcp://127.0.0.1:\(ring)")
            _ = try plain.failure()
            try expectUndisturbed(run, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: [worker, other])
        }

        /// Ports at which a process listens over tcp.
        private static func listeningPorts(of process: pid_t) throws -> [UInt16] {
            let folder = "/proc/\(process)/fd"
            let inodes = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
            }
            return try ["tcp", "tcp6"].flatMap { family in
                try String(contentsOfFile: "/proc/\(process)/net/\(family)", encoding: .utf8)
                    .split(separator: "\n").dropFirst().compactMap { line in
                        let fields = line.split(separator: " ")
                        guard fields[3] == "0A", inodes.contains("socket:[\(fields[9])]") else {
                            return nil
                        }
                        return fields[1].split(separator: ":").last.flatMap {
                            UInt16($0, radix: 16)
                        }
                    }
            }
        }

        @Test func `a thousand connections, garbage and half messages`() throws {
            let run = try cluster.coordinator("--workers 1 --steps 2000 --peer-timeout 5s")
            let port = try port(run.address)
            let before = try Self.residentBytes(of: run.processID)
            var strangers: [Int32] = []
            defer { for descriptor in strangers { close(descriptor) } }
            for index in 0..<1000 {
                let descriptor = try Wiretap.connect(to: port)
                strangers.append(descriptor)
                // Nothing, a greeting that is cut short, noise.
                var bytes: [UInt8] = index % 3 == 0 ? [] : [0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F]
                if index % 3 == 2 { bytes = (0..<2000).map { UInt8(truncatingIfNeeded: $0 * 31) } }
                _ = bytes.withUnsafeBytes {
                    send(
                        descriptor, $0.baseAddress, $0.count,
                        Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
                }
            }
            // On a busy machine strangers are shown out a little later.
            let deadline = Date() + RunningProgram.patience
            while try Self.descriptors(of: run.processID) >= 200, Date() < deadline {
                usleep(20_000)
            }
            #expect(try Self.descriptors(of: run.processID) < 200)
            #expect(try Self.residentBytes(of: run.processID) - before < 64 << 20)
            // Those who are left have not gone by themselves.
            let worker = try cluster.worker(of: run)
            try expectUndisturbed(run, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: [worker])
            // A flood of strangers is no flood of lines.
            #expect(run.lines.count { $0.text.contains("turned away") } < 20, "\(run.account)")
        }

        private static func descriptors(of process: pid_t) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
        }

        private static func residentBytes(of process: pid_t) throws -> Int {
            let text = try String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
            return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
        }
    }
}
