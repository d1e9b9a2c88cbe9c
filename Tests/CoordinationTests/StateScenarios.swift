import Coordination
import Parameters
import Testing
import Wire

/// State on its way: to joiners, to disk, back to a resumed run.
@Suite struct StateScenarios {
    @Test func `a resumed run goes on from what workers hold, and from disk when they are lost`() {
        var s = CoordinatorScenario(
            resumedFrom: 1,
            recorded: CoordinatorScenario.line(2))
        s.joins(
            1, holds: 1,
            folded: FoldedStep(
                step: 2, total: FastDigest(high: 7, low: 0), state: FastDigest(high: 5, low: 0)))
        s.joins(2)
        s.piece(1, .state([UInt8](repeating: 0, count: 12)), step: 2)
        s.says(2, .pieceTaken(offset: 0))
        s.breaks(1)
        #expect(
            s.trace() == """
                p1: hello 1
                  → p1 welcome w1
                  note joined(name: "w1", host: "h", processID: 1, threads: 1, waitingFor: 1)
                p1: prepared holds 1, folded 2
                  note commitRepeated(name: "w1", step: 2)
                  → p1 commit 2
                p2: hello 2
                  → p2 welcome w2
                  note joined(name: "w2", host: "h", processID: 2, threads: 1, waitingFor: 0)
                p2: prepared holds nothing
                  note formed(1.1, members: ["w1"], bounds: [0, 4])
                  → p1 roster 1.1 after 2: w1 of w1, shards 0..<4
                  → p2 new state 1
                  note teaching(name: "w2", step: 2)
                  → p1 give piece 0 of the state
                p1: piece 0 of state 2
                  → p2 piece 0 of state 2
                p2: piece taken 0
                p1 broke
                  forget p1
                  note lost(name: "w1", host: "h", reason: connectionBroke, step: 2, phase: "joining")
                  note goingBack(from: 2, to: 1)
                  → p2 new state 2
                  deliver checkpoint 1 to p2
                """)
    }

    @Test func `a state that the ledger does not know is not gone on from`() {
        var s = CoordinatorScenario(
            resumedFrom: 1,
            recorded: CoordinatorScenario.line(2))
        s.joins(1, holds: 3)
        s.joins(2, holds: 2)
        #expect(
            s.trace() == """
                p1: hello 1
                  → p1 welcome w1
                  note joined(name: "w1", host: "h", processID: 1, threads: 1, waitingFor: 1)
                p1: prepared holds 3
                p2: hello 2
                  → p2 welcome w2
                  note joined(name: "w2", host: "h", processID: 2, threads: 1, waitingFor: 0)
                p2: prepared holds 2
                  note formed(1.1, members: ["w2"], bounds: [0, 4])
                  → p2 roster 1.1 after 2: w2 of w2, shards 0..<4
                  → p1 new state 1
                  note teaching(name: "w1", step: 2)
                  → p2 give piece 0 of the state
                """)
    }

    @Test func `a spare takes the state when a member is lost`() {
        var s = CoordinatorScenario(change: { $0.shards = 2 })
        s.joins(1)
        s.joins(2)
        s.joins(3)
        for peer: UInt64 in [1, 2] { s.stateReady(peer, step: 0) }
        s.formed(1, 1, 2)
        _ = s.trace()
        s.breaks(1)
        #expect(
            s.trace() == """
                p1 broke
                  forget p1
                  note lost(name: "w1", host: "h", reason: connectionBroke, step: 0, phase: "computing")
                  note formed(1.2, members: ["w2"], bounds: [0, 2])
                  → p2 roster 1.2 after 0: w2 of w2, shards 0..<2
                  → p3 new state 1
                  note teaching(name: "w3", step: 0)
                  → p2 give piece 0 of the state
                """)
    }

    @Test func `lines that a worker has kept of another run are left where they are`() {
        for run: UInt64? in [nil, 2] {
            var s = CoordinatorScenario(
                resumedFrom: 1, recorded: CoordinatorScenario.line(2), change: { $0.run.epoch = 2 })
            s.hello(1, run: run)
            s.prepared(1, holds: 2, lines: [CoordinatorScenario.line(3)])
            let trace = s.trace()
            #expect(trace.contains("lines 3") && !trace.contains("adopt"), "\(trace)")
        }
    }

    @Test func `lines that only a worker has kept are taken back into the ledger`() {
        var s = CoordinatorScenario(
            resumedFrom: 1, recorded: CoordinatorScenario.line(2), change: { $0.run.epoch = 2 })
        s.hello(1)
        s.prepared(
            1, holds: 4,
            lines: [
                CoordinatorScenario.line(2), CoordinatorScenario.line(3),
                CoordinatorScenario.line(4), CoordinatorScenario.line(6),
            ])
        s.joins(2, holds: 3)
        #expect(
            s.trace() == """
                p1: hello 1
                  → p1 welcome w1
                  note joined(name: "w1", host: "h", processID: 1, threads: 1, waitingFor: 1)
                p1: prepared holds 4, lines 2...6
                  adopt step 3 of 1.1
                  adopt step 4 of 1.1
                  note adopted(name: "w1", from: 3, to: 4)
                p2: hello 2
                  → p2 welcome w2
                  note joined(name: "w2", host: "h", processID: 2, threads: 1, waitingFor: 0)
                p2: prepared holds 3
                  note formed(2.1, members: ["w1"], bounds: [0, 4])
                  → p1 roster 2.1 after 4: w1 of w1, shards 0..<4
                  → p2 new state 1
                  note teaching(name: "w2", step: 4)
                  → p1 give piece 0 of total 4
                """)
    }

    @Test func `the memory that changed by itself is named, even of two`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.votes(1, 1, step: 1, 0..<2, state: 5)
        s.votes(2, 1, step: 1, 2..<4, state: 6)
        #expect(
            s.trace() == """
                p1: vote 1.1 step 1 on shards 0 1
                p2: vote 1.1 step 1 on shards 2 3
                  note stateDiffers(step: 1, names: ["w2"])
                  note formed(1.2, members: ["w1"], bounds: [0, 4])
                  → p1 roster 1.2 after 0: w1 of w1, shards 0..<4
                  → p2 new state 2
                  note teaching(name: "w2", step: 0)
                  → p1 give piece 0 of the state
                """)
    }

    @Test func `a stopped run ends the step, and another gives the state when its donor is lost`() {
        var s = CoordinatorScenario()
        s.startTwo()
        s.event("stop", .stopRequested)
        s.bothVote(1, step: 1)
        s.captures(1, step: 1)
        s.slice(1, step: 1, .parameters)
        s.event("slice written", .sliceWritten(step: 1, position: 1))
        s.slice(1, step: 1, .firstMoment)
        s.breaks(1)
        s.captures(2, step: 1)
        for (index, section) in StateSection.allCases.enumerated() {
            s.slice(2, step: 1, section)
            s.event("slice written", .sliceWritten(step: 1, position: index + 1))
        }
        s.event("checkpoint 1 written", .checkpointWritten(step: 1))
        #expect(
            s.trace() == """
                stop
                  note stopping(step: 0)
                p1: vote 1.1 step 1 on shards 0 1
                p2: vote 1.1 step 1 on shards 2 3
                  record step 1 by 2 in 1.1
                  → p1 commit 1
                  → p2 commit 1
                  → p1 give the state of 1
                p1: slice 1 parameters 0
                  write slice 1 parameters up to 1
                slice written
                  → p1 slice taken 1 up to 1
                p1: slice 1 firstMoment 0
                  write slice 1 firstMoment up to 2
                p1 broke
                  forget p1
                  note lost(name: "w1", host: "h", reason: connectionBroke, step: 1, phase: "joining")
                  abandon checkpoint 1
                  → p2 give the state of 1
                p2: slice 1 parameters 0
                  write slice 1 parameters up to 1
                slice written
                  → p2 slice taken 1 up to 1
                p2: slice 1 firstMoment 0
                  write slice 1 firstMoment up to 2
                slice written
                  → p2 slice taken 1 up to 2
                p2: slice 1 secondMoment 0
                  write slice 1 secondMoment up to 3
                slice written
                  → p2 slice taken 1 up to 3
                  commit checkpoint 1
                checkpoint 1 written
                  → p2 finish: the run was stopped
                  end stopped(step: 1, saved: Optional(1))
                """)
    }

    @Test func `training goes on when the disk fails, and the checkpoint is tried again later`() {
        var s = CoordinatorScenario(change: {
            $0.checkpoints.every = 1
            $0.steps = 5
        })
        s.startTwo()
        s.bothVote(1, step: 1)
        _ = s.trace()
        s.captures(1, step: 1)
        s.slice(1, step: 1, .parameters)
        s.event("checkpoint 1 failed", .checkpointFailed(step: 1))
        s.bothVote(1, step: 2)
        s.wait(1_100, hearing: [1: .computing, 2: .computing])
        s.bothVote(1, step: 3)
        #expect(
            s.trace() == """
                p1: slice 1 parameters 0
                  write slice 1 parameters up to 1
                checkpoint 1 failed
                  → p1 give no more of 1
                  note checkpointRetried(step: 1, milliseconds: 1000)
                p1: vote 1.1 step 2 on shards 0 1
                p2: vote 1.1 step 2 on shards 2 3
                  record step 2 by 2 in 1.1
                  → p1 commit 2
                  → p2 commit 2
                  → p1 step 3 in 1.1 on shards 0..<2
                  → p2 step 3 in 1.1 on shards 2..<4
                1100 ms pass
                p1: vote 1.1 step 3 on shards 0 1
                p2: vote 1.1 step 3 on shards 2 3
                  record step 3 by 2 in 1.1
                  → p1 commit 3
                  → p2 commit 3
                  → p1 give the state of 3
                  → p1 step 4 in 1.1 on shards 0..<2
                  → p2 step 4 in 1.1 on shards 2..<4
                """)
    }

    @Test func `a donor that sends more than its window is not believed`() {
        var s = CoordinatorScenario(change: { $0.checkpoints.every = 1 }, parameterCount: 100)
        s.startTwo()
        s.bothVote(1, step: 1)
        _ = s.trace()
        s.captures(1, step: 1)
        for offset in 0..<9 { s.slice(1, step: 1, .parameters, offset: offset) }
        #expect(
            s.trace() == """
                p1: slice 1 parameters 0
                  write slice 1 parameters up to 1
                p1: slice 1 parameters 1
                  write slice 1 parameters up to 2
                p1: slice 1 parameters 2
                  write slice 1 parameters up to 3
                p1: slice 1 parameters 3
                  write slice 1 parameters up to 4
                p1: slice 1 parameters 4
                  write slice 1 parameters up to 5
                p1: slice 1 parameters 5
                  write slice 1 parameters up to 6
                p1: slice 1 parameters 6
                  write slice 1 parameters up to 7
                p1: slice 1 parameters 7
                  write slice 1 parameters up to 8
                p1: slice 1 parameters 8
                  forget p1
                  note lost(name: "w1", host: "h", reason: spokeNonsense, step: 1, phase: "computing")
                  abandon checkpoint 1
                  note formed(1.2, members: ["w2"], bounds: [0, 4])
                  → p2 roster 1.2 after 1: w2 of w2, shards 0..<4
                """)
    }
}
