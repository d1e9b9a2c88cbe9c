import Checkpoint
import Foundation
import Preparation
import Settings

/// How two checkpoints, and the runs that they are of, differ.
package struct CheckpointDifference: Sendable {
    /// A setting that has another value in the second run.
    package struct SettingDifference: Sendable, Equatable {
        /// The setting.
        package let setting: Setting
        /// Its value in the first run, as it would be typed; nil where it has none.
        package let first: String?
        /// The same in the second run.
        package let second: String?

        /// Whether it changes what is computed.
        package var changesNumbers: Bool {
            setting.row.effect == .model || setting.row.effect == .numbers
        }
    }

    /// One of the two.
    package struct Side: Sendable {
        /// The checkpoint, and newer ones that were passed over as damaged.
        package let found: FoundCheckpoint
        /// What it says of itself.
        package let facts: CheckpointFacts
        /// The run's folder, where the path named one, or a checkpoint in one.
        package let run: RunPaths?

        /// Opens a run's newest checkpoint, or a checkpoint. Throws: `InferenceError`, `CheckpointError`.
        package init(_ path: String) throws {
            found = try FoundCheckpoint(path)
            facts = try CheckpointFacts(found.folder)
            let own = RunPaths(path)
            let above = RunPaths(
                (RunPaths(absolutePath(found.folder.path)).folder as NSString)
                    .deletingLastPathComponent)
            let parent = RunPaths((above.folder as NSString).deletingLastPathComponent)
            if own.folder != found.folder.path {
                run = own
            } else {
                run = parent.checkpoints == above.folder ? parent : nil
            }
        }

        /// The step after which the state was taken.
        package var step: Int { found.folder.step }
        /// SHA-256 of the parameters.
        package var digest: String { found.folder.digest }
    }

    /// The first of the two.
    package let first: Side
    /// The second of the two.
    package let second: Side
    /// The settings that differ, in the order of `Setting.allCases`.
    package let settings: [SettingDifference]
    /// The parameters.
    package let parameters: TensorDifferences
    /// Adam's moments.
    package let moments: TensorDifferences
    /// Whether both have the same tokenizer, byte for byte.
    package let hasSameTokenizer: Bool
    /// Where the runs part; nil where one of them has no ledger.
    package let ledgers: LedgerDifference?

    /// Whether nothing differs that the numbers depend on: state, tokenizer, settings, and the steps that
    /// both ledgers have.
    package var isEqual: Bool {
        first.step == second.step && parameters.isEqual && moments.isEqual && hasSameTokenizer
            && !settings.contains(where: \.changesNumbers) && ledgers?.parting == nil
    }

    /// A step of which both runs keep a checkpoint, the newest; nil where there is none, or where the
    /// two at hand are of one step.
    package var commonStep: Int? {
        guard first.step != second.step, let one = first.run, let other = second.run,
            (resolvedPath(one.folder) ?? one.folder) != (resolvedPath(other.folder) ?? other.folder)
        else { return nil }
        let mine = (try? CheckpointShelf(one.checkpoints).candidates().map(\.step)) ?? []
        let theirs = (try? CheckpointShelf(other.checkpoints).candidates().map(\.step)) ?? []
        return Set(mine).intersection(theirs).max()
    }

    /// Compares. Throws: `InferenceError`, `CheckpointError`.
    package init(_ first: Side, _ second: Side) throws {
        self.first = first
        self.second = second
        let (one, other) = (first.facts.configuration, second.facts.configuration)
        settings = Setting.allCases.compactMap { setting in
            let (mine, theirs) = (one.text(setting), other.text(setting))
            guard mine != theirs else { return nil }
            return SettingDifference(setting: setting, first: mine, second: theirs)
        }
        parameters = try TensorDifferences(
            first.found.folder.model(), second.found.folder.model())
        moments = try TensorDifferences(
            first.found.folder.optimizer(), second.found.folder.optimizer())
        hasSameTokenizer =
            try first.found.folder.tokenizer() == second.found.folder.tokenizer()
        ledgers =
            if let run = first.run, let otherRun = second.run {
                try LedgerDifference(run, otherRun)
            } else {
                nil
            }
    }
}
