import Checkpoint
import Foundation
import Messaging
import Runtime
import TestKit
import Testing
import Wire

extension ClusterTests {
    @Suite("What others get to see")
    struct Secrecy {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        /// What a listener knows control messages, frames and a run's words by.
        private static let plain = [
            Array("DTRN".utf8), Array("DTRF".utf8), Array("batch-tokens".utf8),
            Array("dtrain 0.1.0".utf8),
        ]

        /// Two workers whose control connections and ring links all go through wiretaps.
        private func tapped(_ access: String, _ more: String, in run: String) throws
            -> (bytes: [UInt8], digest: String?)
        {
            let coordinator = try cluster.start(
                "coordinator --run \(run) --bind tcp://127.0.0.1:0 \(Cluster.tiny) \(more) "
                    + "--transport tcp --workers 2 --steps 60", as: run)
            let address = try coordinator.address
            let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
            let control = try Wiretap(to: port)
            // Rings listen at 127.0.0.1 and are told to be found at 127.0.0.2, where taps listen.
            let ports: [UInt16] = try (0..<2).map { _ in try Self.freePort() }
            let taps = try ports.map { try Wiretap(to: $0, host: 0x7F00_0002, port: $0) }
            let workers = try ports.map { port in
                try cluster.start(
                    "worker --connect tcp://127.0.0.1:\(control.port) \(access) --threads 1 "
                        + "--interface lo --advertise 127.0.0.2 --ring-port \(port)",
                    as: "worker at \(port)")
            }
            #expect(try coordinator.waitForEnd() == 0, "\(coordinator.account)")
            try expectEnds(of: workers)
            // Gradients went through both.
            for tap in taps { #expect(tap.bytes.count > 60 * 32_000, "\(coordinator.account)") }
            return (control.bytes + taps.flatMap(\.bytes), coordinator.digest)
        }

        private static func freePort() throws -> UInt16 {
            let probe = try Wiretap(to: 1)
            defer { probe.close() }
            return probe.port
        }

        @Test func `a listener on every connection sees no plain text`() throws {
            let secured = try tapped("--token-file secured/token", "", in: "secured")
            for words in Self.plain { #expect(!secured.bytes.contains(words)) }
            #expect(secured.digest == (try Undisturbed.short.get()).digest)
            // The same ears hear all of it where nothing is encrypted.
            let open = try tapped("--insecure", "--insecure", in: "open")
            for words in Self.plain { #expect(open.bytes.contains(words)) }
            #expect(open.digest == secured.digest)
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
            let run = try cluster.coordinator("--workers 2 --steps 600")
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
