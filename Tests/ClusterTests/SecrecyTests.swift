import Checkpoint
import Foundation
import Messaging
import Processes
import Ring
import TestKit
import Testing
import Wire

extension ClusterTests {
    @Suite("What others get to see")
    struct Secrecy {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        /// What a listener knows frames by: their magic number and version. Four bytes alone turn up
        /// in one of 300 recordings of encrypted gradients by chance.
        private static let frame = Array("DTRF".utf8) + [UInt8(FrameHeader.version), 0]
        /// The same of control messages, and a run's words.
        private static let plain = [
            frame, Array("DTRN".utf8) + [UInt8(protocolVersion), 0], Array("batch-tokens".utf8),
            Array("dtrain 0.1.0".utf8),
        ]

        /// What two workers let listeners hear.
        private struct Heard {
            var control: [UInt8] = []
            /// What went over the ring's ZeroMQ connections, and over its streams.
            var rings: [UInt8] = []
            var streams: [UInt8] = []
            var knocks = 0
            var digest: String?

            /// Whether they were heard anywhere; an expectation of the bytes would print them all.
            func shows(_ words: [UInt8]) -> Bool {
                [control, rings, streams].contains { $0.contains(words) }
            }
        }

        /// Two workers whose control connections, ring links and streams all go through wiretaps.
        ///
        /// - Parameter isDeaf: whether the taps for streams lead nowhere.
        private func tapped(
            _ access: String, _ more: String, in run: String, isDeaf: Bool = false
        ) throws -> Heard {
            let coordinator = try cluster.start(
                "coordinator --run \(run) --bind tcp://127.0.0.1:0 \(Cluster.tiny) \(more) "
                    + "--transport tcp --workers 2 --steps 60", as: run)
            let address = try coordinator.address
            let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
            let control = try Wiretap(to: port)
            // Rings listen at 127.0.0.1 and are told to be found at 127.0.0.2, where taps listen.
            let ports = Self.freePairs(2)
            let rings = try ports.map { try Wiretap(to: $0, host: 0x7F00_0002, port: $0) }
            let streams = try ports.map {
                try Wiretap(to: $0 + 1, host: 0x7F00_0002, port: $0 + 1, isDeaf: isDeaf)
            }
            let workers = try ports.map { port in
                try cluster.start(
                    "worker --connect tcp://127.0.0.1:\(control.port) \(access) --threads 1 "
                        + "--interface lo --advertise 127.0.0.2 --ring-port \(port)-\(port + 1)",
                    as: "worker at \(port)")
            }
            #expect(try coordinator.waitForEnd() == 0, "\(coordinator.account)")
            try expectEnds(of: workers)
            // Gradients went through both.
            for tap in isDeaf ? rings : streams {
                #expect(tap.bytes.count > 60 * 32_000, "\(coordinator.account)")
            }
            return Heard(
                control: control.bytes, rings: rings.flatMap(\.bytes),
                streams: streams.flatMap(\.bytes), knocks: streams.map(\.all.count).reduce(0, +),
                digest: coordinator.digest)
        }

        /// Ports at which nobody listens, nor at the next ones; not of those that the kernel gives out.
        private static func freePairs(_ count: Int) -> [UInt16] {
            func isFree(_ port: UInt16) -> Bool {
                guard let descriptor = try? Wiretap.connect(to: port) else { return true }
                close(descriptor)
                return false
            }
            var found: Set<UInt16> = []
            while found.count < count {
                let port = 2 * UInt16.random(in: 5_000..<16_000)
                if isFree(port), isFree(port + 1) { found.insert(port) }
            }
            return Array(found)
        }

        @Test func `a listener on every connection sees no plain text`() throws {
            let secured = try tapped("--token-file secured/token", "", in: "secured")
            let digest = (try Undisturbed.short.get()).digest
            #expect(Self.plain.filter(secured.shows) == [])
            #expect(secured.digest == digest)
            #expect(secured.streams.count > 9 * secured.rings.count)
            // The same ears hear all of it where nothing is encrypted.
            var open = try tapped("--insecure", "--insecure", in: "open")
            #expect(open.digest == digest)
            #expect(open.streams.count > 9 * open.rings.count)
            #expect(Self.plain.filter(open.shows) == Self.plain)
            open.control = []
            open.rings = []
            let seen = open.shows(Self.frame)
            #expect(seen, "frames went over streams")
        }

        @Test
        func `where something on the way takes streams in and leads nowhere all goes over ZeroMQ`()
            throws
        {
            let secured = try tapped("--token-file deaf/token", "", in: "deaf", isDeaf: true)
            #expect(secured.knocks >= 2)
            #expect(Self.plain.filter(secured.shows) == [])
            #expect(secured.digest == (try Undisturbed.short.get()).digest)
        }

        @Test func `token and keys are in no log, no metrics, no status and no checkpoint`() throws
        {
            let run = try cluster.train("--workers 2 --threads 1 --steps 60 --checkpoint-every 20")
            try run.waitFor(step: 5)
            let token = try cluster.token
            let keys = try RunKeys.ofRun(in: cluster.run.folder)
            let asked = try cluster.finish("status --run run --json")
            let shown = try cluster.finish("token show --run run")
            try run.waitForEnd()
            #expect(shown.output == [cluster.folder.file("run/token").path])
            var secrets = [Array(token.text.dropFirst(Token.prefix.count).utf8)]
            for secret in [keys.coordinator.secret, token.workers.secret] {
                secrets.append(secret)
                secrets.append(Array("\(PublicKey(secret)!)".utf8))
            }
            var places = try cluster.run.snapshot
            for name in ["token", "coordinator.key"] {
                let file = places.removeValue(forKey: name)
                let bytes = try #require(file)
                #expect(secrets.contains { Array(bytes).contains($0) }, "\(name)")
            }
            #expect(places.count > 10)
            for program in [run, asked, shown] {
                places[program.name] = Data(
                    program.lines.map(\.text).joined(separator: "\n").utf8)
            }
            for (name, bytes) in places {
                for secret in secrets { #expect(!Array(bytes).contains(secret), "\(name)") }
            }
        }

        @Test func `rotation gives the living the new token and breaks what has the old`() throws {
            let run = try cluster.coordinator("--workers 2 --steps 2000")
            let address = try run.address
            let workers = try (1...2).map { try cluster.worker(of: run, as: "worker \($0)") }
            try run.waitFor(step: 20)
            let old = try cluster.token
            let held = try Stranger(
                to: address, .client(old.workers, server: old.coordinator), mark: 9)
            try held.send([1])
            let known = try Stranger(to: address, token: old)
            try known.send([1])
            let rotated = try cluster.finish("token rotate --run run")
            #expect(
                rotated.output == ["run/token holds another token: 2 workers under way have it"])
            try run.waitFor("the token has been changed: 2 workers have the new one")
            let new = try cluster.token
            #expect(new != old && new.coordinator == old.coordinator)
            // Whoever is no member is cut off, and the old token opens nothing any more.
            try held.waitForEnd()
            try known.waitForEnd()
            let late = try Stranger(to: address, .client(old.workers, server: old.coordinator))
            #expect(try late.failure() == .refused)
            // One whose connection breaks comes back with the new token, which it was given.
            run.kill()
            let next = try cluster.start(
                "coordinator --run run --resume --bind \(address)", as: "next")
            try next.waitFor("joined from")
            try expectUndisturbed(next, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: workers)
        }

        @Test func `a worker whose token file comes later waits for it`() throws {
            let run = try cluster.coordinator("--workers 1 --steps 60")
            let address = try run.address
            let worker = try cluster.start(
                "worker --connect \(address) --token-file later --threads 1", as: "worker")
            try worker.waitFor("later, which is to hold the token, is not there")
            try PrivateFile.write(
                cluster.token.text, to: cluster.folder.file("later").path)
            try expectUndisturbed(run, in: cluster, as: Undisturbed.short)
            try expectEnds(of: [worker])
        }
    }
}
