import Checkpoint
import Foundation
import Inference
import TestKit
import Testing

/// Folders that were copied while their run lived: every file missing, empty, torn, older or newer, and
/// every two of them at once.
@Suite("Going on from a copied folder")
struct RecoveryTests {
    typealias Change = CopiedRun.Change

    static let singles = CopiedRun.File.allCases.flatMap { file in
        CopiedRun.Fate.allCases.map { Change(file: file, fate: $0) }
    }

    static let pairs = singles.indices.flatMap { first in
        singles[first...].dropFirst().filter { $0.file != singles[first].file }
            .map { [singles[first], $0] }
    }

    /// What one change alone leads to: the checkpoint that is gone on from, the ledger's steps, and how
    /// many things are said.
    struct Expected {
        var checkpoint = CopiedRun.newest
        var ledger = 1..<CopiedRun.lastLine + 1
        var said: (Repair) -> Bool
        var count = 1
    }

    static func expected(_ change: Change, keepsOne: Bool) -> Expected {
        let older = keepsOne ? 0 : 6
        switch (change.file, change.fate) {
        case (.ledger, .missing):
            return Expected(ledger: 0..<0) { $0.isBegunAnew(.missing, kept: false) }
        case (.ledger, .empty):
            return Expected(ledger: 0..<0) { $0.isBegunAnew(.empty, kept: false) }
        case (.ledger, .torn), (.ledger, .older):
            let (last, from) = change.fate == .torn ? (6, 6) : (CopiedRun.olderLine, 4)
            return keepsOne
                ? Expected(ledger: 0..<0) { $0.isBegunAnew(.endsAt(step: last), kept: true) }
                : Expected(checkpoint: from, ledger: 1..<last + 1) {
                    $0 == .ledgerBehind(lastLine: last, newest: CopiedRun.newest, from: from)
                }
        case (.ledger, .newer):
            return Expected(ledger: 1..<CopiedRun.newerLine + 1) {
                // It tells of an incarnation that the counter has not seen.
                $0 == .incarnationBehind(counter: CopiedRun.incarnation, ledger: 3)
            }
        case (.configuration, .missing), (.configuration, .empty), (.configuration, .torn):
            return Expected { $0.isSettings(change.fate) }
        case (.identity, .missing), (.identity, .empty), (.identity, .torn):
            return Expected { $0 == .identityDrawn(why: change.fate.fault) }
        case (.incarnation, .missing), (.incarnation, .empty), (.incarnation, .torn):
            return Expected { $0 == .incarnationLost(why: change.fate.fault) }
        case (.incarnation, .older):
            return Expected { $0 == .incarnationBehind(counter: 1, ledger: CopiedRun.incarnation) }
        case (.checkpoint, .missing):
            return Expected(checkpoint: older, said: { _ in false }, count: 0)
        case (.checkpoint, .empty), (.checkpoint, .torn), (.checkpoint, .older):
            return Expected(checkpoint: older) { $0.isPassedOver }
        case (.checkpoint, .newer):
            return Expected {
                $0
                    == .ledgerBehind(
                        lastLine: CopiedRun.lastLine, newest: CopiedRun.newerCheckpoint,
                        from: CopiedRun.newest)
            }
        case (.token, .missing), (.token, .empty), (.token, .torn):
            return Expected { $0 == .tokenRenewed(why: change.fate.fault) }
        // Nothing depends on the metrics; their own cuts are said by whoever opens them. Settings that
        // may change, a higher counter and another token are as good as these.
        case (.metrics, _), (.configuration, _), (.identity, _), (.incarnation, _), (.token, _):
            return Expected(said: { _ in false }, count: 0)
        }
    }

    @Test(arguments: [false, true])
    func `a file that is missing, empty, torn, older or newer`(keepsOne: Bool) throws {
        let run = try CopiedRun(keepsOne: keepsOne)
        #expect(Self.singles.count == 35)
        for change in Self.singles {
            let expected = Self.expected(change, keepsOne: keepsOne)
            try run.restore([change])
            // Without a checkpoint settings have no other source, and the ledger none to go on from.
            let opened = try run.open()
            #expect(opened.checkpoint == expected.checkpoint, "\(change)")
            #expect(opened.ledger == expected.ledger, "\(change)")
            #expect(opened.repairs.count == expected.count, "\(change): \(opened.repairs)")
            #expect(opened.repairs.allSatisfy(expected.said), "\(change): \(opened.repairs)")
            try expectConsistent(opened, run, [change])
            try expectQuiet(after: opened, run, [change])
        }
    }

    @Test(arguments: [false, true])
    func `any two files, each missing, empty, torn, older or newer`(keepsOne: Bool) throws {
        let run = try CopiedRun(keepsOne: keepsOne)
        #expect(Self.pairs.count == 525)
        var refused = 0
        for (index, changes) in Self.pairs.enumerated() {
            try run.restore(changes)
            do {
                let opened = try run.open()
                try expectConsistent(opened, run, changes)
                // One in three is opened once more, for time's sake.
                if index.isMultiple(of: 3) { try expectQuiet(after: opened, run, changes) }
            } catch CheckpointError.nothingLeft {
                // Settings lost together with the only checkpoint.
                refused += 1
                let lost: Set<CopiedRun.Fate> = [.missing, .empty, .torn]
                for change in changes {
                    let isLost =
                        lost.contains(change.fate)
                        || change == Change(file: .checkpoint, fate: .older)
                    #expect(isLost, "\(changes)")
                    #expect([.checkpoint, .configuration].contains(change.file), "\(changes)")
                }
            }
        }
        #expect(refused == (keepsOne ? 12 : 0))
    }

    /// Whatever had been changed: a run that can go on, of which nothing is lost without a word.
    private func expectConsistent(
        _ opened: CopiedRun.Opened, _ run: CopiedRun, _ changes: [Change]
    ) throws {
        // The ledger takes the step after the checkpoint, or has it.
        let next = opened.checkpoint + 1
        #expect(
            opened.ledger.isEmpty
                || (opened.ledger.lowerBound...opened.ledger.upperBound).contains(next),
            "\(changes): \(opened)")
        // No step that was committed is gone on from twice: the lines read back, one a step.
        let lines = try RunFiles(folder: run.paths.folder).ledger
        let first = try #require(lines.first?.step)
        #expect(lines.map(\.step) == Array(first..<first + lines.count), "\(changes)")
        // Workers obey it: a counter above all that was ever said, or another identity.
        #expect(opened.incarnation > lines.dropLast().map(\.generation.epoch).max() ?? 0)
        let isKnown = String(opened.identity, radix: 16) == "c5cacd2861195fdb"
        #expect(!isKnown || opened.incarnation > 1, "\(changes)")
        #expect(try opened.configuration.lasting == CopiedRun.settings().lasting, "\(changes)")
        #expect(opened.token.coordinator == run.keys.token.coordinator, "\(changes)")
        // What was set aside is kept whole.
        for repair in opened.repairs {
            switch repair {
            case .ledgerBegunAnew(_, let kept?, _), .ledgerMended(_, let kept, _):
                #expect(try ReadableFile(kept).size > 0, "\(changes)")
            default: break
            }
        }
    }

    /// Now that it is in order nothing more is said but where it goes on from.
    private func expectQuiet(
        after opened: CopiedRun.Opened, _ run: CopiedRun, _ changes: [Change]
    ) throws {
        let again = try run.open()
        let rest = again.repairs.filter { !$0.staysTrue }
        #expect(rest.isEmpty, "\(changes): \(rest)")
        #expect(again.incarnation == opened.incarnation + 1 && again.identity == opened.identity)
        #expect(again.token == opened.token)
    }

    @Test
    func `a damaged line within the ledger: the stretch that a checkpoint reaches stays in use`()
        throws
    {
        let run = try CopiedRun(keepsOne: false)
        // The checkpoints are of 4, 6 and 8; the ledger's lines are of 1 to 11.
        for (line, steps, checkpoint) in [
            (2, 3..<12, 8), (7, 8..<12, 8), (9, 1..<9, 8), (10, 1..<10, 8),
        ] {
            try run.restore([])
            try damage(line: line, of: run)
            let whole = try ReadableFile(run.paths.ledger).size
            let opened = try run.open()
            #expect(opened.checkpoint == checkpoint && opened.ledger == steps, "line \(line)")
            let kept = run.paths.ledger + ".kept-1"
            #expect(opened.repairs == [.ledgerMended(line: line, kept: kept, steps: steps)])
            #expect(try ReadableFile(kept).size == whole)
        }
        // The last line alone is a torn end.
        try run.restore([])
        try damage(line: 11, of: run)
        #expect(try run.open().ledger == 1..<11)
    }

    @Test func `a folder, a ledger or a checkpoint of a newer version is refused as a whole`()
        throws
    {
        let run = try CopiedRun(keepsOne: false)
        let text = SettingsFile.text("seed: 1\n", writer: "dtrain 9.0.0")
            .replacing("format 1", with: "format 2")
        try run.restore([])
        try RunFiles(folder: run.paths.folder).restore(["configuration.yaml": Data(text.utf8)])
        let newer = CheckpointError.newer(
            path: run.paths.folder, format: 2, known: 1, writer: "dtrain 9.0.0")
        #expect(throws: newer) { try run.open() }
        #expect(throws: newer) { try FoundCheckpoint(run.paths.folder) }
    }

    private func damage(line: Int, of run: CopiedRun) throws {
        let url = URL(fileURLWithPath: run.paths.ledger)
        var lines = try Data(contentsOf: url).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        lines[line - 1][lines[line - 1].startIndex + 40] ^= 1
        try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: url)
    }
}

extension CopiedRun.Fate {
    fileprivate var fault: FileFault {
        switch self {
        case .missing: .missing
        case .empty: .empty
        default: .torn
        }
    }
}

extension Repair {
    fileprivate var isPassedOver: Bool {
        if case .checkpointPassedOver = self { true } else { false }
    }

    /// Still so when the run is taken up once more before its next checkpoint.
    fileprivate var staysTrue: Bool {
        switch self {
        case .checkpointPassedOver, .ledgerBehind: true
        default: false
        }
    }

    fileprivate func isSettings(_ fate: CopiedRun.Fate) -> Bool {
        if case .settingsFromCheckpoint(_, let why) = self { why == fate.fault } else { false }
    }

    fileprivate func isBegunAnew(_ why: LedgerLoss, kept: Bool) -> Bool {
        guard case .ledgerBegunAnew(why, let name, CopiedRun.newest) = self else { return false }
        return (name != nil) == kept
    }
}
