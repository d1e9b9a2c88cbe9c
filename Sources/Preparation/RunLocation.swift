import Checkpoint
import Foundation
import Settings

/// The folder in which a run lives, and whether the run goes on.
package struct RunLocation: Equatable, Sendable {
    /// Absolute; of a folder that is there without any link, since links may change.
    package let folder: String
    /// The folder as the user calls it, from the root.
    package let given: String
    /// Whether the run that is there is to go on, or a new one to begin.
    package let resume: Bool
    /// The user gave no name: where this one is taken, another is.
    package let isStandard: Bool

    /// Takes a path, absolute or from the current folder.
    package init(folder: String, resume: Bool, isStandard: Bool = false) {
        given = RunPaths(absolutePath(folder)).folder
        self.folder = resolvedPath(given) ?? given
        self.resume = resume
        self.isStandard = isStandard
    }

    /// The resolved settings, as `--config` reads them.
    package var configurationFile: String { folder + "/configuration.yaml" }

    /// The link beside a run's folder that leads to the newest one.
    package static let latest = "runs/" + RunFolder.latest

    /// Named like the link to the newest run.
    package var isNamedLatest: Bool { given.hasSuffix("/" + RunFolder.latest) }

    /// `runs/20261123T064500Z`: where a run lives that was given no folder.
    package static func standard(at time: Date = Date()) -> String {
        let stamp = Date.ISO8601FormatStyle(timeZone: .gmt)
            .year().month().day().time(includingFractionalSeconds: false)
            .timeSeparator(.omitted).dateSeparator(.omitted)
        return "runs/" + time.formatted(stamp) + "Z"
    }

    /// Returns the endpoint at which the coordinator of the run in `folder` listens; nil when none
    /// says so.
    ///
    /// Throws: `CheckpointError` for a file that cannot be read.
    package static func address(of folder: String) throws -> String? {
        let paths = RunPaths(folder)
        guard FileManager.default.fileExists(atPath: paths.address) else { return nil }
        return try paths.text(paths.address).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The kinds of things that a run's path may lead to.
    package enum Content: Equatable, Sendable {
        /// Settings, a ledger or checkpoints of a run.
        case aRun
        /// A folder with nothing of a run, or nothing at all.
        case other
        /// A file or something else that is no folder.
        case unfit(PathContent)
    }

    /// The kind of thing at the folder's path.
    package var content: Content {
        switch PathContent(at: given) {
        case .nothing: return .other
        case .folder: break
        case let unfit: return .unfit(unfit)
        }
        let paths = RunPaths(folder)
        let manager = FileManager.default
        let isRun =
            manager.fileExists(atPath: paths.configuration)
            || manager.fileExists(atPath: paths.ledger)
            || (try? CheckpointShelf(paths.checkpoints).candidates().isEmpty) == false
        return isRun ? .aRun : .other
    }

    /// The configuration of this run: `given` resolved, or on resume the saved one with what
    /// `given` may change.
    ///
    /// Throws: `ConfigurationError`; on resume also what `SavedSettings` throws.
    package func configuration(_ given: GivenSettings) throws -> RunConfiguration {
        guard resume else { return try RunConfiguration(given.startingFromRun()) }
        return try SavedSettings(of: folder).configuration.resumed(with: given, in: folder)
    }
}
