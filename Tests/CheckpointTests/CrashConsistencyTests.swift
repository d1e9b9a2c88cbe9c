import Checkpoint
import Testing

@Suite struct CrashConsistencyTests {
    /// What stands on the shelf, what is written, and how many are kept.
    struct Scenario: CustomStringConvertible, Sendable {
        let description: String
        let old: [SampleCheckpoint]
        let new: SampleCheckpoint
        let keep: Int

        static let all = [
            Scenario(
                description: "the first", old: [], new: SampleCheckpoint(step: 10), keep: 1),
            Scenario(
                description: "the next, the one before pruned",
                old: [SampleCheckpoint(step: 5), SampleCheckpoint(step: 10)],
                new: SampleCheckpoint(step: 20), keep: 1),
            Scenario(
                description: "in place of the only one",
                old: [SampleCheckpoint(step: 10)],
                new: SampleCheckpoint(step: 10, version: 1), keep: 2),
        ]
    }

    /// Writes with `operations` until they give up; true when the commit was reported.
    private func run(
        _ scenario: Scenario, in path: String, _ operations: CrashingOperations
    ) throws -> Bool {
        var isCommitted = false
        do {
            try scenario.new.write(in: path, operations: operations)
            isCommitted = true
            try CheckpointShelf(path, operations: operations)
                .prune(keep: scenario.keep, newest: scenario.new.step)
        } catch {
            try #require(operations.hasCrashed, "\(error)")
        }
        return isCommitted
    }

    /// The newest of the old ones or the new one is there, the new one if that was promised; a next
    /// start sees the same and clears up, even if it is itself stopped at any system call.
    private func check(
        _ scenario: Scenario, _ path: String, isCommitted: Bool, _ place: String
    ) throws -> Bool {
        let allowed = isCommitted ? [scenario.new] : [scenario.new] + scenario.old.suffix(1)
        func isRight() throws -> Bool {
            let found = try CheckpointShelf(path).newestWhole()
            guard let checkpoint = found.checkpoint else {
                return scenario.old.isEmpty && !isCommitted
            }
            let digest = checkpoint.digest
            return found.rejected.isEmpty && allowed.contains { $0.digest == digest }
        }
        guard try isRight() else { return false }
        var calls = 0
        while true {
            let operations = CrashingOperations(calls: calls)
            do {
                try CheckpointShelf(path, operations: operations).sweep()
                break
            } catch {
                try #require(operations.hasCrashed, "\(place): sweep \(error)")
            }
            guard try isRight() else { return false }
            calls += 1
        }
        return try isRight()
    }

    private func survives(
        _ scenario: Scenario, calls: Int, loss: CrashingOperations.Loss,
        tear: CrashingOperations.Tear = .half, ignoresSynchronization: Bool = false
    ) throws -> Bool {
        let folder = TemporaryFolder()
        let shelf = folder("checkpoints")
        for old in scenario.old { try old.write(in: shelf, operations: CrashingOperations()) }
        let operations = CrashingOperations(
            calls: calls, tear: tear, ignoresSynchronization: ignoresSynchronization)
        let isCommitted = try run(scenario, in: shelf, operations)
        try operations.losePower(loss)
        let place = "\(scenario), \(loss) lost after \(calls) calls, \(tear) of the next done"
        let isRight = try check(scenario, shelf, isCommitted: isCommitted, place)
        #expect(
            !isRight || folder.names("checkpoints").allSatisfy { !$0.hasPrefix(".") }, "\(place)")
        return isRight
    }

    @Test(
        "stopped between any two system calls, a whole checkpoint is found, the newest promised",
        arguments: Scenario.all, CrashingOperations.Loss.allCases)
    func everyPrefix(scenario: Scenario, loss: CrashingOperations.Loss) throws {
        let folder = TemporaryFolder()
        for old in scenario.old { try old.write(in: folder.path, operations: CrashingOperations()) }
        let counting = CrashingOperations()
        #expect(try run(scenario, in: folder.path, counting))
        #expect(counting.performed > 20)
        for calls in 0...counting.performed {
            for tear in CrashingOperations.Tear.allCases {
                // How much of it was done matters for writes alone.
                guard tear == .half || counting.writes.contains(calls) else { continue }
                #expect(
                    try survives(scenario, calls: calls, loss: loss, tear: tear),
                    "\(scenario): \(loss) lost after \(calls) calls, \(tear) of the next done")
            }
        }
    }

    /// A coordinator does not end when a checkpoint fails: it goes on and tries again.
    @Test(
        "a disk that fails at any system call leaves a whole checkpoint, and the next try succeeds",
        arguments: Scenario.all, FailingDisk.Kind.allCases)
    func failing(scenario: Scenario, kind: FailingDisk.Kind) throws {
        for calls in 0... {
            let folder = TemporaryFolder()
            let shelf = folder("checkpoints")
            for old in scenario.old { try old.write(in: shelf, operations: CrashingOperations()) }
            let disk = FailingDisk(kind, after: calls)
            var isCommitted = false
            do {
                try scenario.new.write(in: shelf, operations: disk)
                isCommitted = true
                try CheckpointShelf(shelf, operations: disk)
                    .prune(keep: scenario.keep, newest: scenario.new.step)
            } catch {
                try #require(disk.hasFailed, "\(error)")
            }
            let place: Comment = "\(scenario), \(kind) after \(calls) calls"
            let allowed = isCommitted ? [scenario.new] : [scenario.new] + scenario.old.suffix(1)
            let found = try CheckpointShelf(shelf).newestWhole()
            #expect(found.rejected.isEmpty, place)
            let isRight =
                found.checkpoint.map { found in allowed.contains { $0.digest == found.digest } }
                ?? (scenario.old.isEmpty && !isCommitted)
            #expect(isRight, place)
            try scenario.new.write(in: shelf, operations: CrashingOperations())
            try scenario.new.expect(try #require(CheckpointShelf(shelf).newestWhole().checkpoint))
            try CheckpointShelf(shelf).sweep()
            #expect(folder.names("checkpoints").allSatisfy { !$0.hasPrefix(".") }, place)
            try scenario.new.expect(try #require(CheckpointShelf(shelf).newestWhole().checkpoint))
            if !disk.hasFailed { break }
        }
    }

    @Test("a disk that forgets what it was told to keep is found out by this very test")
    func canary() throws {
        for loss in [CrashingOperations.Loss.unsynchronizedData, .unsynchronizedNames] {
            #expect(
                try !survives(
                    Scenario.all[1], calls: .max, loss: loss, ignoresSynchronization: true))
        }
    }

    @Test(
        "a ledger stopped between any two system calls keeps every line that was made durable",
        arguments: CrashingOperations.Loss.allCases)
    func ledger(loss: CrashingOperations.Loss) throws {
        for calls in 0..<12 {
            for tear in CrashingOperations.Tear.allCases {
                try checkLedger(calls: calls, loss: loss, tear: tear)
            }
        }
    }

    private func checkLedger(
        calls: Int, loss: CrashingOperations.Loss, tear: CrashingOperations.Tear
    ) throws {
        let start = ContinuousClock.now
        let folder = TemporaryFolder()
        let operations = CrashingOperations(calls: calls, tear: tear)
        var (written, durable) = (0, 0)
        do {
            let ledger = try Ledger(folder("ledger.jsonl"), operations: operations)
            for step in 1...6 {
                let now = start + .milliseconds(400 * step)
                try ledger.append(LedgerTests.entry(step), now: now)
                written = step
                if ledger.synchronizationDue == nil { durable = step }
            }
        } catch {
            try #require(operations.hasCrashed, "\(error)")
        }
        try operations.losePower(loss)
        let found = try Ledger(folder("ledger.jsonl")).steps
        let certain = loss == .nothing ? written : durable
        // A line whose writer died before it could say so may stand there too: it is committed
        // when the run is taken over.
        #expect(
            (certain...written + 1).contains(found.count), "\(loss) after \(calls) calls, \(tear)")
        for step in found {
            #expect(try LedgerIndex(folder("ledger.jsonl")).entry(step)?.step == step)
        }
    }

    @Test("a full disk leaves the older checkpoint and nothing of the new one")
    func fullDisk() throws {
        let folder = TemporaryFolder()
        let old = SampleCheckpoint(step: 10)
        try old.write(in: folder.path)
        for writes in 0..<10 {
            let disk = FullDisk(writes: writes)
            #expect(throws: CheckpointError.self, "\(writes) writes") {
                try SampleCheckpoint(step: 20).write(in: folder.path, operations: disk)
            }
            #expect(folder.names() == ["step-000010"])
        }
        try old.expect(try #require(CheckpointShelf(folder.path).newestWhole().checkpoint))
    }
}
