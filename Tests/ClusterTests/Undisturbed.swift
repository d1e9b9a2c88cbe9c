import Checkpoint
import TestKit
import Testing

/// What a run of one worker gives that nothing disturbs: the truth for all others.
struct Undisturbed: Sendable {
    let steps: Int
    let digest: String
    let ledger: [LedgerEntry]

    /// Enough for a digest to differ if anything does.
    static let short = Result { try Undisturbed(steps: 60) }
    /// Long enough to be disturbed in the middle.
    static let long = Result { try Undisturbed(steps: 300) }
    /// Long enough for things that take a second or two.
    static let longest = Result { try Undisturbed(steps: 2000) }

    /// Steps that take so long that they can be told from pauses of some milliseconds.
    static let slow = Result { try Undisturbed(steps: 120, slowSteps) }
    static let slowSteps = "--batch-tokens 4096 --d-model 64 --d-ff 256"

    /// Where sums are rounded between shards.
    static let bf16 = Result { try Undisturbed(steps: 60, "--wire bf16") }
    static let int8 = Result { try Undisturbed(steps: 60, "--wire int8") }
    /// Where products are of bfloat16.
    static let rounded = Result { try Undisturbed(steps: 60, "--precision bf16") }
    static let longInt8 = Result { try Undisturbed(steps: 300, "--wire int8") }

    private init(steps: Int, _ options: String = "") throws {
        self.steps = steps
        let cluster = try Cluster()
        let train = try cluster.train("--workers 1 --threads 1 --steps \(steps) \(options)")
        try train.waitForEnd()
        digest = try #require(train.digest)
        ledger = try cluster.run.ledger
    }
}

/// Checks that `program` has ended well, and that its run is bit for bit the undisturbed one: the
/// same digest, and in every line of the ledger the same samples, totals and states.
func expectUndisturbed(
    _ program: RunningProgram, in cluster: Cluster, as reference: Result<Undisturbed, any Error>,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let reference = try reference.get()
    let code = try program.waitForEnd()
    #expect(code == 0, "\(program.account)", sourceLocation: sourceLocation)
    #expect(
        program.digest == reference.digest, "\(program.account)", sourceLocation: sourceLocation)
    let ledger = try cluster.run.ledger
    #expect(ledger.map(\.step) == Array(1...reference.steps), sourceLocation: sourceLocation)
    for (line, truth) in zip(ledger, reference.ledger) {
        let isSame =
            line.samples == truth.samples && line.total == truth.total && line.state == truth.state
            && line.loss == truth.loss && line.labels == truth.labels
            && line.verdict == truth.verdict
        try #require(
            isSame, "step \(line.step): \(line) is not \(truth)", sourceLocation: sourceLocation)
    }
}

/// Checks that all of `programs` end with code 0.
func expectEnds(
    of programs: some Sequence<RunningProgram>, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    for program in programs {
        let code = try program.waitForEnd()
        #expect(
            code == 0, "\(program.name): \(program.account)", sourceLocation: sourceLocation)
    }
}

/// Checks that nothing of the test's processes is left once they have ended.
func expectNothingLeft(
    of cluster: Cluster, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(try cluster.remains == [], sourceLocation: sourceLocation)
}

/// Checks that `program` ends with an exit code and one sentence on standard error that has all of
/// `words` in it.
func expectRefusal(
    _ program: RunningProgram, code: Int32, words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(
        try program.waitForEnd() == code, "\(program.account)",
        sourceLocation: sourceLocation)
    let sentences = program.errors.filter { $0.hasPrefix("dtrain: ") }
    #expect(sentences.count == 1, "\(program.account)", sourceLocation: sourceLocation)
    for word in words {
        #expect(
            sentences.last?.contains(word) == true, "\(word): \(program.account)",
            sourceLocation: sourceLocation)
    }
}
