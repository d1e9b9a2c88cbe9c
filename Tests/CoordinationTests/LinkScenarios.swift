import Coordination
import Testing
import Wire

/// Workers that are heard, but do not reach each other.
@Suite("Links that do not work")
struct LinkScenarios {
    private static func generation(_ counter: UInt32) -> Generation {
        Generation(epoch: 1, counter: counter)
    }

    /// Workers 1 to `count` in ring 1.1, each on a host of its own, at their first step.
    private func started(_ count: Int) -> CoordinatorScenario {
        var s = CoordinatorScenario {
            $0.gathering.workers = count
            $0.shards = 8
            $0.steps = 10
        }
        for peer in 1...UInt64(count) { s.joins(peer, on: "host \(peer)") }
        for peer in 1...UInt64(count) { s.stateReady(peer, step: 0) }
        for peer in 1...UInt64(count) { s.formed(1, peer) }
        _ = s.trace()
        return s
    }

    /// The names of the ring that was formed last, in their order.
    private func ring(_ trace: String) -> [String] {
        let lines = trace.split(separator: "\n").filter { $0.contains("note formed(") }
        let names = lines.last?.split(separator: "[")[1].split(separator: "]")[0]
        return names?.split(separator: ", ").map { $0.filter { $0 != "\"" } } ?? []
    }

    private func waiting(_ count: Int) -> [UInt64: WorkerPhase] {
        Dictionary(uniqueKeysWithValues: (1...UInt64(count)).map { ($0, .forming) })
    }

    @Test func `a ring goes around a link that does not work`() {
        var s = started(4)
        s.wait(50, hearing: waiting(4))
        s.says(
            2, .ringBroken(Self.generation(1), RingFault(.absent, .successor)))
        s.wait(100, hearing: waiting(4))
        #expect(
            s.trace() == """
                50 ms pass
                p2: ring 1.1 broken: absent(successor)
                  note ringBroken(w2@h, absent(successor), [w3@h])
                100 ms pass
                  note linkAvoided(name: "w2", host: "h", other: "w3", otherHost: "h")
                  note formed(1.2, members: ["w4", "w3", "w1", "w2"], bounds: [0, 2, 4, 6, 8])
                  → p4 roster 1.2 after 0: w4 of w4 w3 w1 w2, shards 0..<2
                  → p3 roster 1.2 after 0: w3 of w4 w3 w1 w2, shards 2..<4
                  → p1 roster 1.2 after 0: w1 of w4 w3 w1 w2, shards 4..<6
                  → p2 roster 1.2 after 0: w2 of w4 w3 w1 w2, shards 6..<8
                """)
    }

    @Test func `of two workers that do not reach each other one is left out for a time`() {
        var s = started(2)
        s.wait(50, hearing: waiting(2))
        s.says(
            1, .ringBroken(Self.generation(1), RingFault(.absent, [.predecessor, .successor])))
        s.wait(100, hearing: waiting(2))
        #expect(
            s.trace() == """
                50 ms pass
                p1: ring 1.1 broken: absent(predecessor, successor)
                  note ringBroken(w1@h, absent(predecessor, successor), [w2@h])
                100 ms pass
                  note leftOut(name: "w2", host: "h", other: "w1", otherHost: "h")
                  note formed(1.2, members: ["w1"], bounds: [0, 8])
                  → p1 roster 1.2 after 0: w1 of w1, shards 0..<8
                """)
        s.formed(2, 1)
        for step in 1...4 {
            #expect(!s.trace().contains("teaching"))
            s.wait(1_100, hearing: [1: .computing, 2: .waiting])
            s.votes(1, 2, step: step, 0..<8)
            s.updated(1, step: step)
        }
        #expect(s.trace().contains("note teaching(name: \"w2\", step: 4)"))
    }

    @Test func `who was not heard when a link failed has no bad link`() {
        var s = started(4)
        s.wait(700, hearing: [1: .forming, 2: .forming, 4: .forming])
        s.says(2, .ringBroken(Self.generation(1), RingFault(.absent, .successor)))
        s.wait(100, hearing: [1: .forming, 2: .forming, 4: .forming])
        #expect(ring(s.trace()) == ["w1", "w2", "w3", "w4"])
    }

    @Test func `a link that only broke is tried again`() {
        var s = started(4)
        s.wait(50, hearing: waiting(4))
        s.says(2, .ringBroken(Self.generation(1), RingFault(.lost, .successor)))
        s.wait(100, hearing: waiting(4))
        #expect(ring(s.trace()) == ["w1", "w2", "w3", "w4"])
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `no ring has a link that is known not to work`(seed: UInt64) {
        var dice = Dice(seed: seed)
        let count = Int.random(in: 3...7, using: &dice)
        var s = started(count)
        var order = (1...count).map { "w\($0)" }
        var bad: Set<Set<String>> = []
        for counter in 1...UInt32(Int.random(in: 1...4, using: &dice)) {
            guard order.count > 1 else { break }
            let rank = Int.random(in: 0..<order.count, using: &dice)
            let pair = [order[rank], order[(rank + 1) % order.count]]
            bad.insert(Set(pair))
            s.wait(50, hearing: waiting(count))
            s.says(
                UInt64(pair[0].dropFirst())!,
                .ringBroken(Self.generation(counter), RingFault(.absent, .successor)))
            // Every time after a longer pause.
            s.wait(50 << Int64(counter) + 100, hearing: waiting(count))
            order = ring(s.trace())
            for index in order.indices where order.count > 1 {
                let link = Set([order[index], order[(index + 1) % order.count]])
                #expect(!bad.contains(link), "seed \(seed): \(order), \(bad)")
            }
            // Nobody is left out without need: some order of all but those works.
            #expect(order.count >= count - bad.count, "seed \(seed): \(order), \(bad)")
        }
    }
}

/// splitmix64 (Steele, Lea, Flood 2014).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
