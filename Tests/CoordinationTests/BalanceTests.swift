import Coordination
import Testing

/// Who is given how many shards.
@Suite struct BalanceTests {
    private func members(_ seconds: [Double], threads: [Int]? = nil) -> [Balance.Member] {
        zip(seconds, threads ?? seconds.map { _ in 1 }).map {
            Balance.Member(threads: $1, secondsPerShard: $0)
        }
    }

    @Test func `who is twice as fast has twice as many shards`() {
        #expect(Balance.bounds(shards: 9, members: members([2, 1])) == [0, 3, 9])
        #expect(Balance.bounds(shards: 8, members: members([1, 1])) == [0, 4, 8])
    }

    @Test func `one that crawls keeps one shard`() {
        #expect(Balance.bounds(shards: 8, members: members([1, 100, 1])) == [0, 4, 5, 8])
    }

    @Test func `threads that would stand idle are not counted on`() {
        // Three shards on two threads take as long as four.
        let bounds = Balance.bounds(shards: 8, members: members([1, 1], threads: [2, 1]))
        #expect(bounds == [0, 6, 8] || bounds == [0, 5, 8])
        #expect(Balance.seconds(bounds, members([1, 1], threads: [2, 1])) == 3)
    }

    @Test func `no other cut would be done sooner`() {
        let kinds = [1, 2, 3].flatMap { threads in
            [1.0, 2, 7].map { Balance.Member(threads: threads, secondsPerShard: $0) }
        }
        let groups =
            kinds.map { [$0] } + kinds.flatMap { a in kinds.map { [a, $0] } }
            + kinds.flatMap { a in kinds.flatMap { b in kinds.map { [a, b, $0] } } }
        for members in groups {
            for shards in members.count...7 {
                let bounds = Balance.bounds(shards: shards, members: members)
                #expect(bounds.first == 0 && bounds.last == shards)
                #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
                let best = cuts(shards, members.count).map { Balance.seconds($0, members) }.min()
                #expect(Balance.seconds(bounds, members) == best, "\(members)")
            }
        }
    }

    /// All ways to cut `shards` into `count` stretches.
    private func cuts(_ shards: Int, _ count: Int) -> [[Int]] {
        if count == 1 { return [[0, shards]] }
        return (count - 1..<shards).flatMap { last in
            cuts(last, count - 1).map { $0 + [shards] }
        }
    }

    // MARK: when it is done

    private func twoWorkers(balance: Bool, patience: Int = 100) -> CoordinatorScenario {
        var s = CoordinatorScenario(change: {
            $0.steps = patience
            $0.ring.balance = balance
        })
        s.startTwo()
        return s
    }

    @Test func `when a slow worker has stayed slow for a while its shards go to a fast one`() {
        var s = twoWorkers(balance: true)
        for step in 1...24 { s.bothVote(1, step: step, computing: (0.2, 0.8)) }
        #expect(!s.trace().contains("balancing"))
        s.votes(1, 1, step: 25, 0..<2, computing: 0.2)
        s.votes(2, 1, step: 25, 2..<4, computing: 0.8)
        #expect(
            s.trace() == """
                p1: vote 1.1 step 25 on shards 0 1
                p2: vote 1.1 step 25 on shards 2 3
                  record step 25 by 2 in 1.1
                  → p1 commit 25
                  → p2 commit 25
                  note balancing(step: 26, [Coordination.ShardTime(name: "w1", threads: 1, milliseconds: 100), Coordination.ShardTime(name: "w2", threads: 1, milliseconds: 400)], before: 800, after: 400)
                  note formed(1.2, members: ["w1", "w2"], bounds: [0, 3, 4])
                  → p1 roster 1.2 after 25: w1 of w1 w2, shards 0..<3
                  → p2 roster 1.2 after 25: w2 of w1 w2, shards 3..<4
                """)
    }

    @Test func `others on the machine, who slow now one worker and now the other, move no shards`()
    {
        var s = twoWorkers(balance: true, patience: 400)
        for step in 1...300 {
            let isFirst = step / 16 % 2 == 0
            s.bothVote(1, step: step, computing: isFirst ? (0.4, 0.2) : (0.2, 0.4))
        }
        #expect(!s.trace().contains("balancing"))
    }

    @Test func `a gain of less than forming a ring takes moves no shards`() {
        var s = twoWorkers(balance: true)
        for step in 1...90 { s.bothVote(1, step: step, computing: (0.001, 0.002)) }
        #expect(!s.trace().contains("balancing"))
    }

    @Test(arguments: [(true, 0.25), (false, 0.8)])
    func `shards stay where little would be won, or with --no-balance`(
        balance: Bool, second: Double
    ) {
        var s = twoWorkers(balance: balance)
        for step in 1...40 { s.bothVote(1, step: step, computing: (0.2, second)) }
        #expect(!s.trace().contains("formed("))
    }

    @Test func `speeds that change at every turn do not form rings at every turn`() {
        var s = CoordinatorScenario(change: {
            $0.steps = 2000
            $0.ring.balance = true
        })
        s.startTwo()
        var bounds = [0, 2, 4]
        var ring: UInt32 = 1
        var cuts = 0
        for step in 1...1000 {
            // Whoever has more shards is slow.
            let times = (0...1).map { rank in
                let shards = bounds[rank + 1] - bounds[rank]
                return Double(shards) * (shards == 2 ? [0.1, 0.4][rank] : shards == 3 ? 0.4 : 0.1)
            }
            s.votes(1, ring, step: step, bounds[0]..<bounds[1], computing: times[0])
            s.votes(2, ring, step: step, bounds[1]..<bounds[2], computing: times[1])
            s.updated(1, step: step)
            s.updated(2, step: step)
            let trace = s.trace()
            guard let cut = trace.range(of: "bounds: [0, ") else { continue }
            let middle = Int(String(trace[cut.upperBound]))!
            bounds = [0, middle, 4]
            ring += 1
            cuts += 1
            s.formed(ring, 1, 2)
            _ = s.trace()
        }
        #expect(cuts >= 2 && cuts <= 7, "\(cuts) cuts")
    }
}
