import Coordination
import Testing
import Wire

/// Who sums gradients where they lie, and when that ends.
@Suite("Gradients that are summed in place")
struct InPlaceScenarios {
    private static func board(_ peer: UInt64) -> MemoryPlace {
        MemoryPlace(process: Int32(peer), descriptor: 5, device: 1, inode: peer, byteCount: 4096)
    }

    /// Two workers that have prepared; `change` may say otherwise of the run.
    private func joined(
        on hosts: [String], boards: [MemoryPlace?], _ change: (inout CoordinatorPolicy) -> Void
    ) -> CoordinatorScenario {
        var s = CoordinatorScenario {
            $0.ring.sumsInPlace = true
            change(&$0)
        }
        for (index, host) in hosts.enumerated() {
            let peer = UInt64(index + 1)
            s.hello(peer, on: host, board: boards[index])
            s.prepared(peer)
        }
        for peer in 1...UInt64(hosts.count) { s.stateReady(peer, step: 0) }
        return s
    }

    private func rosters(_ s: inout CoordinatorScenario) -> [Substring] {
        s.trace().split(separator: "\n").filter { $0.contains("roster") }
    }

    @Test func `workers of one host are told where the others' gradients lie`() {
        var s = joined(on: ["a", "a"], boards: [Self.board(1), Self.board(2)]) { _ in }
        let rosters = rosters(&s)
        #expect(rosters.count == 2 && rosters.allSatisfy { $0.hasSuffix(", summed in place") })
    }

    @Test func `sums travel between hosts, to workers without a board, and where the run says so`()
    {
        for (hosts, boards, allowed) in [
            (["a", "b"], [Self.board(1), Self.board(2)], true),
            (["a", "a"], [Self.board(1), nil], true),
            (["a", "a"], [Self.board(1), Self.board(2)], false),
        ] {
            var s = joined(on: hosts, boards: boards) { $0.ring.sumsInPlace = allowed }
            let rosters = rosters(&s)
            #expect(rosters.count == 2 && !rosters.contains { $0.hasSuffix("in place") })
        }
    }

    @Test func `while workers are there of whom one cannot read the others' gradients sums travel`()
    {
        let boards = (1...3 as ClosedRange<UInt64>).map(Self.board)
        var s = joined(on: ["a", "a", "a"], boards: boards) { $0.gathering.workers = 3 }
        s.formed(1, 1, 2, 3)
        _ = s.trace()
        let generation = Generation(epoch: 1, counter: 1)
        s.says(2, .ringBroken(generation, RingFault(.apart, detail: "no memory")))
        s.wait(100, hearing: [1: .forming, 2: .forming, 3: .forming])
        let apart = rosters(&s)
        #expect(apart.count == 3 && !apart.contains { $0.hasSuffix("in place") })
        s.breaks(3)
        let together = rosters(&s)
        #expect(together.count == 2 && together.allSatisfy { $0.hasSuffix(", summed in place") })
    }

    @Test func `gradients of a worker that has gone say nothing of those that stay`() {
        let boards = (1...3 as ClosedRange<UInt64>).map(Self.board)
        var s = joined(on: ["a", "a", "a"], boards: boards) { $0.gathering.workers = 3 }
        s.formed(1, 1, 2, 3)
        _ = s.trace()
        // The third is killed: who is no neighbour of it notices by its memory first.
        let generation = Generation(epoch: 1, counter: 1)
        s.says(2, .ringBroken(generation, RingFault(.apart, detail: "no such process")))
        s.breaks(3)
        let rosters = rosters(&s)
        #expect(rosters.count == 2 && rosters.allSatisfy { $0.hasSuffix(", summed in place") })
    }
}
