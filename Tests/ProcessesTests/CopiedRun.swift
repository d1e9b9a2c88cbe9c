import Checkpoint
import Foundation
import Kernels
import Messaging
import Model
import Preparation
import Processes
import Settings
import TestKit

/// A run's folder as it may be copied while the run lives: every file of it missing, empty, torn, older
/// or newer than the others. All of it is made up but its forms.
struct CopiedRun {
    enum File: String, CaseIterable, Sendable {
        case ledger, metrics, configuration, identity, incarnation, checkpoint, token
    }

    enum Fate: String, CaseIterable, Sendable { case missing, empty, torn, older, newer }

    /// A file and what has become of it.
    struct Change: Hashable, Sendable, CustomStringConvertible {
        let file: File
        let fate: Fate
        var description: String { "\(fate.rawValue) \(file.rawValue)" }
    }

    /// A moment of the run's life.
    private struct Moment {
        let lines: Int
        let checkpoints: [Int]
        let incarnation: UInt32
        let steps: Int
    }

    static let tensors = [TensorShape(name: "weight", shape: [3, 2])]
    /// The ledger's last step at the moment of the copy, its newest checkpoint, its incarnation.
    static let (lastLine, newest, incarnation): (Int, Int, UInt32) = (11, 8, 2)
    static let (olderLine, newerLine, newerCheckpoint) = (5, 15, 14)

    private static func moments(keepsOne: Bool) -> [Fate?: Moment] {
        func kept(_ steps: [Int]) -> [Int] { keepsOne ? steps.suffix(1) : steps }
        return [
            .older: Moment(
                lines: olderLine, checkpoints: kept([2, 4]), incarnation: 1, steps: 100),
            nil: Moment(
                lines: lastLine, checkpoints: kept([4, 6, newest]), incarnation: incarnation,
                steps: 200),
            .newer: Moment(
                lines: newerLine, checkpoints: kept([newest, 12, newerCheckpoint]),
                incarnation: 4, steps: 300),
        ]
    }

    let paths: RunPaths
    let folder: TemporaryFolder
    private let files: [Fate?: [String: Data]]
    let keys: RunKeys

    /// `keepsOne`: only the newest checkpoint is kept.
    init(keepsOne: Bool) throws {
        folder = try TemporaryFolder(inMemory: true)
        paths = RunPaths(folder.file("run").path)
        keys = try RunKeys.passing()
        var files: [Fate?: [String: Data]] = [:]
        for (fate, moment) in Self.moments(keepsOne: keepsOne) {
            // The token was rotated between two moments.
            let keys = fate == nil ? keys : try keys.renewed()
            try Self.write(moment, in: paths, keys)
            files[fate] = try RunFiles(folder: paths.folder).snapshot
            try FileManager.default.removeItem(atPath: paths.folder)
        }
        self.files = files
    }

    /// `epoch`: the incarnation that wrote it, else that of the moment.
    static func entry(_ step: Int, epoch: UInt32? = nil) -> LedgerEntry {
        let epoch = epoch ?? (step <= 5 ? 1 : step <= 12 ? 2 : 3)
        return LedgerEntry(
            step: step, generation: .init(epoch: epoch, counter: 1),
            samples: [[step], [step + 1]], total: String(repeating: "0", count: 32),
            state: String(repeating: "1", count: 32), loss: 2, labels: 9, verdict: .committed,
            arithmetic: ArithmeticVersion.current)
    }

    static func settings(steps: Int = 200) throws -> RunConfiguration {
        var given = GivenSettings()
        for (setting, text) in [
            (Setting.dModel, "32"), (.layers, "1"), (.heads, "2"), (.seed, "77"),
            (.steps, "\(steps)"), (.checkpointEvery, "10"),
        ] { given.set(setting, text) }
        return try RunConfiguration(given)
    }

    private static func write(_ moment: Moment, in paths: RunPaths, _ keys: RunKeys) throws {
        let configuration = try settings(steps: moment.steps)
        try makeFolders(paths.checkpoints)
        for step in moment.checkpoints { try writeCheckpoint(step, in: paths, configuration) }
        let ledger = try Ledger(paths.ledger)
        let metrics = try MetricsFile(paths.metrics)
        for step in 1...moment.lines {
            try ledger.append(entry(step), now: .now)
            try metrics.append(["step": step, "tokens": 7], step: step)
        }
        for (path, text) in [
            (
                paths.configuration,
                SettingsFile.text(configuration.yaml, writer: "dtrain of a test")
            ), (paths.identity, "c5cacd2861195fdb\n"),
            (paths.incarnation, "\(moment.incarnation)\n"),
        ] { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        try keys.save(in: paths)
    }

    private static func writeCheckpoint(
        _ step: Int, in paths: RunPaths, _ configuration: RunConfiguration
    ) throws {
        let facts = CheckpointFacts(
            architecture: Architecture(configuration, vocabulary: 40),
            configuration: configuration, software: "dtrain of a test", text: nil)
        let writer = try CheckpointWriter(
            in: paths.checkpoints,
            state: CheckpointState(step: step, adamCount: step, epoch: 1, more: facts.json),
            tensors: tensors, tokenizer: Array("pieces".utf8))
        try [Float](repeating: Float(step), count: 18).withUnsafeBytes { try writer.append($0) }
        _ = try writer.commit()
    }

    // MARK: changing

    /// Puts the folder as it was copied, with `changes`.
    func restore(_ changes: [Change]) throws {
        try? FileManager.default.removeItem(atPath: paths.folder)
        try RunFiles(folder: paths.folder).restore(files[nil]!)
        for change in changes { try apply(change) }
    }

    private func name(_ file: File) -> String {
        switch file {
        case .ledger: "ledger.jsonl"
        case .metrics: "metrics.jsonl"
        case .configuration: "configuration.yaml"
        case .identity, .incarnation, .token: file.rawValue
        case .checkpoint: "checkpoints/step-00000\(Self.newest)"
        }
    }

    private func apply(_ change: Change) throws {
        guard change.file != .checkpoint else { return try applyToCheckpoint(change.fate) }
        let name = name(change.file)
        let path = paths.folder + "/" + name
        var bytes = files[nil]![name]!
        switch change.fate {
        case .missing: return try FileManager.default.removeItem(atPath: path)
        case .empty: bytes = Data()
        case .torn: bytes = bytes.prefix(bytes.count * 5 / 8)
        case .older, .newer: bytes = files[change.fate]![name]!
        }
        try RunFiles(folder: paths.folder).restore([name: bytes])
    }

    private func applyToCheckpoint(_ fate: Fate) throws {
        let name = name(.checkpoint)
        let path = paths.folder + "/" + name
        switch fate {
        case .missing: try FileManager.default.removeItem(atPath: path)
        case .empty:
            try FileManager.default.removeItem(atPath: path)
            try makeFolders(path)
        case .torn:
            let model = name + "/model.safetensors"
            let bytes = files[nil]![model]!
            try RunFiles(folder: paths.folder).restore([model: bytes.dropLast(9)])
        case .older:
            // The files of the newest of the older moment, under this one's name.
            let older = files[.older]!.filter { $0.key.hasPrefix("checkpoints/step-000004/") }
            try RunFiles(folder: paths.folder).restore(
                Dictionary(
                    uniqueKeysWithValues: older.map {
                        (
                            $0.key.replacing("step-000004", with: "step-00000\(Self.newest)"),
                            $0.value
                        )
                    }))
        case .newer:
            let prefix = "checkpoints/step-0000\(Self.newerCheckpoint)/"
            try RunFiles(folder: paths.folder).restore(
                files[.newer]!.filter { $0.key.hasPrefix(prefix) })
        }
    }

    // MARK: opening

    /// What was found when the run was taken up again.
    struct Opened {
        let configuration: RunConfiguration
        let checkpoint: Int
        let ledger: Range<Int>
        let incarnation: UInt32
        let identity: UInt64
        let token: Token
        let repairs: [Repair]
    }

    /// Takes the run up as `train --resume` does, records the next step, and closes it.
    func open() throws -> Opened {
        let saved = try SavedSettings(of: paths.folder)
        let recovery = try RunRecovery.find(in: paths)
        let keys = try RunKeys.ofRun(in: paths.folder, isResumed: true)
        let run = try RunFolder.resume(
            paths.folder, recovery: recovery, hasLostSettings: saved.repair != nil)
        let ledger = try Ledger(paths.ledger)
        let metrics = try MetricsFile(paths.metrics, last: recovery.lastStep)
        let steps = ledger.steps
        let next = steps.isEmpty ? recovery.lastStep + 1 : steps.upperBound
        try ledger.append(Self.entry(next, epoch: run.incarnation), now: .now)
        try metrics.append(["step": next], step: next)
        try keys.save(in: paths)
        try run.save(configuration: saved.configuration.yaml, writer: "dtrain of a test")
        return Opened(
            configuration: saved.configuration, checkpoint: recovery.checkpoint?.step ?? 0,
            ledger: steps, incarnation: run.incarnation, identity: run.identity,
            token: keys.token,
            repairs: [saved.repair].compactMap { $0 } + run.repairs + keys.repairs)
    }
}
