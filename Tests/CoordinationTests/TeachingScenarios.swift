import Coordination
import Testing
import Wire

/// Those who come later learn the state while the others train.
@Suite struct TeachingScenarios {
    @Test func `a joiner learns the state while training goes on, and gets shards at a boundary`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.joins(3)
        s.piece(1, .state([UInt8](repeating: 0, count: 12)), step: 0)
        s.says(3, .pieceTaken(offset: 0))
        s.stateReady(3, step: 0)
        s.bothVote(1, step: 1)
        s.piece(2, .total([0, 0, 0, 0], squaredNorm: 1, learningRate: 1), step: 1)
        s.says(3, .pieceTaken(offset: 0))
        s.stateReady(3, step: 1)
        #expect(
            s.trace() == """
                p3: hello 3
                  → p3 welcome w3
                  note joined(name: "w3", host: "h", processID: 3, threads: 1, waitingFor: 0)
                p3: prepared holds nothing
                  → p3 new state 1
                  note teaching(name: "w3", step: 0)
                  → p1 give piece 0 of the state
                p1: piece 0 of state 0
                  → p3 piece 0 of state 0
                p3: piece taken 0
                p3: state ready 0
                  → p3 state 0 is right
                p1: vote 1.1 step 1 on shards 0 1
                p2: vote 1.1 step 1 on shards 2 3
                  record step 1 by 2 in 1.1
                  → p1 commit 1
                  → p2 commit 1
                  → p2 give piece 0 of total 1
                p2: piece 0 of total 1
                  → p3 piece 0 of total 1
                p3: piece taken 0
                p3: state ready 1
                  → p3 state 1 is right
                  note formed(1.2, members: ["w1", "w2", "w3"], bounds: [0, 1, 2, 4])
                  → p1 roster 1.2 after 1: w1 of w1 w2 w3, shards 0..<1
                  → p2 roster 1.2 after 1: w2 of w1 w2 w3, shards 1..<2
                  → p3 roster 1.2 after 1: w3 of w1 w2 w3, shards 2..<4
                """)
    }

    @Test func `a joiner that learned another state than the members' begins anew`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.joins(3)
        s.piece(1, .state([UInt8](repeating: 0, count: 12)), step: 0)
        s.says(3, .pieceTaken(offset: 0))
        _ = s.trace()
        s.stateReady(3, step: 0, digest: 6)
        #expect(
            s.trace() == """
                p3: state ready 0
                  note stateDiffers(step: 0, names: ["w3"])
                """)
    }

    @Test func `nobody waits for a joiner that is lost, or does not take its pieces`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.joins(3)
        s.joins(4)
        _ = s.trace()
        s.breaks(3)
        s.piece(2, .state([UInt8](repeating: 0, count: 12)), step: 0)
        s.wait(2_050, hearing: [1: .folding, 2: .folding, 4: .receivingState])
        #expect(
            s.trace() == """
                p3 broke
                  forget p3
                  note lost(name: "w3", host: "h", reason: connectionBroke, step: 0, phase: "learning")
                p2: piece 0 of state 0
                  → p4 piece 0 of state 0
                2050 ms pass
                  forget p4
                  note lost(name: "w4", host: "h", reason: stuck(milliseconds: 2050), step: 0, phase: "learning")
                  note stalled(step: 1, waiting: ["w1", "w2"], milliseconds: 2050)
                  note formed(1.2, members: ["w1", "w2"], bounds: [0, 2, 4])
                  → p1 roster 1.2 after 0: w1 of w1 w2, shards 0..<2
                  → p2 roster 1.2 after 0: w2 of w1 w2, shards 2..<4
                """)
    }

    @Test func `what a lost donor was asked for is asked of another`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.joins(3)
        _ = s.trace()
        s.breaks(1)
        #expect(
            s.trace() == """
                p1 broke
                  forget p1
                  note lost(name: "w1", host: "h", reason: connectionBroke, step: 0, phase: "computing")
                  → p2 give piece 0 of the state
                  note formed(1.2, members: ["w2"], bounds: [0, 4])
                  → p2 roster 1.2 after 0: w2 of w2, shards 0..<4
                """)
    }
}
