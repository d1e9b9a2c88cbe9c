import Foundation
import TestKit
import Testing
import Wire

extension ClusterTests {
    @Suite("Diagnosing")
    struct Diagnosing {
        private struct Diagnosis: Decodable {
            struct Check: Decodable {
                let check: String
                let level: String
                let says: String
                let advice: String?
                let figures: [String: Double]
                let from: String?
                let to: String?
            }

            let ok: Bool
            let conclusion: String
            let checks: [Check]

            func levels(_ name: String) -> [String] {
                checks.filter { $0.check == name }.map(\.level)
            }
        }

        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        private func diagnose(_ line: String, code: Int32) throws -> Diagnosis {
            try diagnosis(of: try cluster.start("doctor --json \(line)", as: "doctor"), code: code)
        }

        private func diagnosis(of asked: RunningProgram, code: Int32) throws -> Diagnosis {
            #expect(try asked.waitForEnd() == code, "\(asked.account)")
            return try JSONDecoder().decode(Diagnosis.self, from: Data(asked.output[0].utf8))
        }

        @Test func `a run that works, with all links both ways, leaves the run undisturbed`() throws
        {
            let coordinator = try cluster.coordinator("--workers 2 --steps 2000 --peer-timeout 4s")
            let workers = try (1...2).map {
                try cluster.worker(of: coordinator, as: "worker \($0)")
            }
            try coordinator.waitFor(step: 20)
            let access = "--connect \(try coordinator.address) --token-file run/token"
            let found = try diagnose(access, code: 0)
            #expect(found.ok && found.checks.allSatisfy { $0.level == "ok" }, "\(found)")
            for check in [
                "name", "route", "port", "handshake", "version", "clock", "round trip", "bandwidth",
                "files", "memory", "processor", "arithmetic",
            ] {
                #expect(found.levels(check) == ["ok"], "\(check): \(found)")
            }
            // From each of three ends, this process among them, to the two others.
            let links = found.checks.filter { $0.check == "link" }
            #expect(Set(links.map { "\($0.from!) \($0.to!)" }).count == 6 && links.count == 6)
            #expect(links.allSatisfy { ($0.figures["ms"] ?? -1) > 0 })
            let plain = try cluster.finish("doctor \(access)")
            #expect(try plain.waitForEnd() == 0, "\(plain.account)")
            #expect(plain.output.last == "a worker here would work")
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: workers)
        }

        @Test func `a port where nobody listens, a name that leads nowhere`() throws {
            let coordinator = try cluster.coordinator("--workers 1 --steps 2000")
            try coordinator.waitFor("listening on")
            let token = "--token-file run/token"
            let closed = try diagnose("--connect tcp://127.0.0.1:9 \(token)", code: 69)
            #expect(!closed.ok && closed.levels("port") == ["bad"])
            #expect(closed.levels("handshake") == [] && closed.levels("memory") == ["ok"])
            let check = try #require(closed.checks.first { $0.check == "port" })
            #expect(check.says.contains("127.0.0.1 port 9 refuses"))
            #expect(check.advice?.contains("--bind") == true)
            let nowhere = try diagnose("--connect tcp://nowhere.invalid:9 \(token)", code: 69)
            #expect(nowhere.levels("name") == ["bad"])
            #expect(nowhere.conclusion.contains("look at name"))
        }

        @Test func `a token of another run, none at all, and no worker yet`() throws {
            let coordinator = try cluster.coordinator("--workers 1 --steps 2000")
            let address = try coordinator.address
            let made = try cluster.finish("token rotate --run other")
            #expect(try made.waitForEnd() == 0)
            let foreign = try diagnose("--connect \(address) --token-file other/token", code: 1)
            #expect(foreign.levels("port") == ["ok"] && foreign.levels("handshake") == ["bad"])
            #expect(foreign.checks.contains { $0.says.contains("is not the token's coordinator") })
            let plain = try diagnose("--connect \(address) --insecure", code: 1)
            #expect(plain.checks.contains { $0.advice?.contains("run's token") == true })
            let early = try diagnose("--connect \(address) --token-file run/token", code: 0)
            #expect(early.checks.contains { $0.says.contains("no worker is there yet") })
        }

        @Test func `too few files that may be open`() throws {
            let coordinator = try cluster.coordinator("--workers 1 --steps 2000")
            let asked = try cluster.shell(
                """
                ulimit -n 64; \
                exec dtrain doctor --json --connect \(try coordinator.address) --token-file run/token
                """)
            let found = try diagnosis(of: asked, code: 1)
            #expect(found.checks.filter { $0.level != "ok" }.map(\.check) == ["files"], "\(found)")
            let check = try #require(found.checks.first { $0.check == "files" })
            #expect(check.says.contains("64 open at once") && check.advice == "ulimit -n 1024")
            #expect(check.figures["limit"] == 64 && found.conclusion.contains("look at files"))
        }

        @Test func `a coordinator of another version`() throws {
            let strange = try StrangeCoordinator()
            let asked = try cluster.start(
                "doctor --json --connect \(strange.address) --insecure", as: "doctor")
            var answer = StatusMessage.answer([]).encoded
            answer[4] = 99
            try strange.answer(with: answer)
            let found = try diagnosis(of: asked, code: 1)
            #expect(found.levels("version") == ["bad"], "\(found)")
            #expect(found.checks.contains { $0.advice == "use the same build" })
        }
    }
}
