import Foundation
import TestKit
import Testing
import Wire

extension ClusterTests {
    @Suite("What running parts refuse")
    struct Refusing {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        // MARK: places that are taken

        @Test func `a port in use, which leaves the folder free`() throws {
            let holder = try StrangeCoordinator()
            let port = holder.address
            let refused = try cluster.coordinator("--steps 60", bind: port)
            try expectRefusal(
                refused, code: ExitCode.io, words: ["\(port) is in use", "--bind"])
            let train = try cluster.train("--workers 1 --threads 1 --steps 60")
            try expectUndisturbed(train, in: cluster, as: Undisturbed.short)
        }

        @Test func `a folder that holds another run, or one that is under way`() throws {
            let coordinator = try cluster.coordinator("--workers 1 --steps 60")
            try coordinator.waitFor("listening on")
            try expectRefusal(
                try cluster.coordinator("--steps 60", as: "second"), code: ExitCode.usage,
                words: ["run", "--run"])
            try expectRefusal(
                try cluster.coordinator("--steps 60 --resume", as: "third"), code: ExitCode.usage,
                words: ["in use by process \(coordinator.processID)"])
            _ = try cluster.worker(of: coordinator)
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.short)
            try expectRefusal(
                try cluster.train("--steps 60", as: "fourth"), code: ExitCode.usage,
                words: ["not empty", "--resume"])
        }

        @Test func `a place where nothing can be written`() throws {
            try FileManager.default.createDirectory(
                at: cluster.folder.file("closed"), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o555])
            let refused = try cluster.start(
                "train --run closed/run \(Cluster.tiny) --steps 60", as: "train", isPowerless: true)
            try expectRefusal(
                refused, code: ExitCode.io, words: ["closed/run", "Permission denied"])
        }

        // MARK: workers that do not fit

        @Test func `workers of another version, protocol or arithmetic`() throws {
            let coordinator = try cluster.coordinator("--workers 1 --steps 300")
            let address = try coordinator.address
            let token = try cluster.token
            let older = try Stranger(to: address, token: token)
            try older.send(older.hello(software: "dtrain 0.0.1").encoded)
            #expect(
                try older.receive()
                    == .refused(.version(theirs: "dtrain 0.0.1", ours: "dtrain 0.1.0")))
            try coordinator.waitFor("was refused", "dtrain 0.0.1")
            // Of the past and of the future; forged, for a build of another protocol would take minutes.
            for version in [protocolVersion - 1, 99] {
                let other = try Stranger(to: address, token: token)
                try other.send(Stranger.speaking(version, other.hello()))
                #expect(
                    try other.receive()
                        == .refused(
                            .version(
                                theirs: "protocol \(version)", ours: "protocol \(protocolVersion)"
                            )))
            }
            let nobody = try Stranger(to: address, token: token)
            try nobody.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
            let worker = try cluster.worker(of: coordinator)
            try coordinator.waitFor("joined from")
            let other = try Stranger(to: address, token: token)
            try other.send(other.hello().encoded)
            try coordinator.waitFor("was refused", "Stranger")
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.long)
            try expectEnds(of: [worker])
        }

        @Test func `coordinators that refuse a worker, or speak otherwise`() throws {
            let refusing = try StrangeCoordinator()
            let worker = try cluster.start(
                "worker --insecure --connect \(refusing.address)", as: "worker")
            let refusal = Refusal.version(theirs: "dtrain 0.1.0", ours: "dtrain 9")
            try refusing.answer(with: CoordinatorMessage.refused(refusal).encoded)
            try expectRefusal(worker, code: 1, words: ["refuses", "dtrain 9"])
            let foreign = try StrangeCoordinator()
            let other = try cluster.start(
                "worker --insecure --connect \(foreign.address)", as: "other")
            var bytes = CoordinatorMessage.heartbeat.encoded
            bytes[4] = 99
            try foreign.answer(with: bytes)
            try expectRefusal(other, code: 1, words: ["protocol 99"])
        }

        @Test func `waiting for a coordinator that never comes`() throws {
            let worker = try cluster.start(
                "worker --insecure --connect tcp://127.0.0.1:9 --wait 500ms", as: "worker")
            try expectRefusal(
                worker, code: 69, words: ["no coordinator", "tcp://127.0.0.1:9", "--wait"])
        }

        @Test func `local workers that end again and again`() throws {
            let train = try cluster.train("--workers 1 --threads 1 --steps 100000")
            var mark = 0
            for _ in 1...5 {
                let line = try train.waitFor("joined from", after: mark)
                mark = train.lines.firstIndex { $0.arrival == line.arrival }! + 1
                cluster.send(SIGKILL, to: train.joined.last!)
            }
            try expectRefusal(
                train, code: 1, words: ["again and again", "run/logs/worker-1.log"])
        }

        // MARK: standard output that is closed

        @Test func `nobody reading its lines does not end a run`() throws {
            let pipe = try cluster.shell(
                "dtrain train --run run \(Cluster.tiny) --workers 1 --threads 1 --steps 60 2>&1"
                    + " | head -n 3; echo ${PIPESTATUS[0]}")
            #expect(try pipe.waitForEnd() == 0)
            #expect(pipe.output.count == 4 && pipe.output.last == "0", "\(pipe.account)")
            #expect(try cluster.run.checkpoints == [60])
            let again = try cluster.train("--workers 1 --steps 60 --resume")
            try expectUndisturbed(again, in: cluster, as: Undisturbed.short)
        }
    }
}
