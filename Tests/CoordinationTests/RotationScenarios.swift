import Coordination
import Parameters
import Testing
import Wire

@Suite("Another token")
struct RotationScenarios {
    @Test func `all are given it, then nobody else is let in`() {
        var scene = CoordinatorScenario()
        scene.startTwo()
        scene.event("the token is another", .tokenChanged("new"))
        scene.says(2, .tokenTaken)
        scene.says(1, .tokenTaken)
        scene.says(1, .tokenTaken)
        #expect(
            scene.trace() == """
                the token is another
                  → p1 token
                  → p2 token
                p2: tokenTaken
                p1: tokenTaken
                  admit only p1 p2
                  note tokenChanged(workers: 2)
                p1: tokenTaken
                """)
    }

    @Test func `who does not take it is given up, and the others go on`() {
        var scene = CoordinatorScenario()
        scene.startTwo()
        scene.event("the token is another", .tokenChanged("new"))
        scene.says(1, .tokenTaken)
        scene.wait(1_200, hearing: [1: .computing, 2: .computing])
        let trace = scene.trace()
        #expect(trace.contains("forget p2"), "\(trace)")
        #expect(trace.contains("keptOldToken"), "\(trace)")
        #expect(trace.contains("admit only p1\n"), "\(trace)")
        #expect(trace.contains("note tokenChanged(workers: 1)"), "\(trace)")
        #expect(trace.contains("→ p1 roster 1.2"), "\(trace)")
    }

    @Test func `who is lost meanwhile is not waited for, and who joins is given it too`() {
        var scene = CoordinatorScenario()
        scene.startTwo()
        scene.event("the token is another", .tokenChanged("new"))
        scene.breaks(2)
        scene.hello(3)
        scene.says(1, .tokenTaken)
        #expect(!scene.trace().contains("admit only"))
        scene.says(3, .tokenTaken)
        #expect(
            scene.trace() == """
                p3: tokenTaken
                """)
        scene.wait(100)
        #expect(scene.trace().contains("admit only p1 p3"))
    }

    @Test func `without workers it is done at once`() {
        var scene = CoordinatorScenario()
        scene.event("the token is another", .tokenChanged("new"))
        #expect(
            scene.trace() == """
                the token is another
                  admit only 
                  note tokenChanged(workers: 0)
                """)
    }

    @Test func `a worker keeps it at once, whatever it is doing`() {
        var scene = WorkerScenario()
        scene.welcome()
        _ = scene.trace()
        scene.hears(.token("new"))
        #expect(
            scene.trace() == """
                token
                  obey token
                  → tokenTaken
                """)
    }

    @Test func `neighbours are told each other's keys`() {
        var policy = CoordinatorScenario.policy()
        policy.gathering.workers = 3
        policy.ring.encryptsAll = true
        var coordinator = Coordinator(policy: policy, parameterCount: 1, resumedFrom: nil)
        var found: [PeerID: RingKeys?] = [:]
        func say(_ peer: UInt64, _ message: WorkerMessage) {
            let actions = coordinator.receive(
                .received(PeerID(peer), message), at: Instant(nanoseconds: 0))
            for case .send(let peer, .roster(let roster)) in actions { found[peer] = roster.keys }
        }
        func key(_ peer: UInt64) -> [UInt8] { Array(repeating: UInt8(peer), count: 32) }
        let address = PeerAddress(hostKey: "h", hostName: "h", ipc: "", tcp: "tcp://h:1")
        let held = HeldState(step: 0, digest: FastDigest(high: 5, low: 0))
        for peer: UInt64 in 1...3 {
            say(
                peer,
                .hello(
                    Hello(
                        software: "dtrain", address: address, key: key(peer), processID: 1,
                        instance: peer, threads: 1, kernel: "k",
                        probe: FastDigest(high: 0, low: 0))))
        }
        for peer: UInt64 in 1...3 { say(peer, .prepared(Holdings())) }
        for peer: UInt64 in 1...3 { say(peer, .stateReady(held, number: 1)) }
        for (peer, before, behind): (UInt64, UInt64, UInt64) in [(1, 3, 2), (2, 1, 3), (3, 2, 1)] {
            #expect(
                found[PeerID(peer)]
                    == RingKeys(
                        predecessor: key(before), successor: key(behind), encryptsAll: true))
        }
    }
}
