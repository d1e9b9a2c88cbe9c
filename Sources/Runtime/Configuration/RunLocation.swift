import Checkpoint
import Foundation
import Settings

/// Where a run lives and whether it is there already.
package struct RunLocation: Equatable, Sendable {
    /// Absolute.
    package let folder: String
    package let resume: Bool

    package init(folder: String, resume: Bool) {
        self.folder = URL(fileURLWithPath: folder).standardizedFileURL.path
        self.resume = resume
    }

    /// The resolved settings, as `--config` reads them.
    package var configurationFile: String { folder + "/configuration.yaml" }

    /// The link beside a run's folder that leads to the newest one.
    package static let latest = "runs/latest"

    /// `runs/20261123T064500Z`: where a run lives that was given no folder.
    package static func standard(at time: Date = Date()) -> String {
        let stamp = Date.ISO8601FormatStyle(timeZone: .gmt)
            .year().month().day().time(includingFractionalSeconds: false)
            .timeSeparator(.omitted).dateSeparator(.omitted)
        return "runs/" + time.formatted(stamp) + "Z"
    }

    /// Where the coordinator of the run in `folder` listens; nil when none says so.
    ///
    /// Throws: `CheckpointError` for a file that cannot be read.
    package static func address(of folder: String) throws -> String? {
        let paths = RunPaths(folder)
        guard FileManager.default.fileExists(atPath: paths.address) else { return nil }
        return try paths.text(paths.address).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    package enum Content: Sendable { case aRun, aFile, other }

    /// What is at the folder's path; `other` is also nothing.
    package var content: Content {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
        if exists && !isFolder.boolValue { return .aFile }
        return FileManager.default.fileExists(atPath: configurationFile) ? .aRun : .other
    }

    /// The configuration of this run: `given` resolved, or on resume the saved one with what
    /// `given` may change.
    package func configuration(
        _ given: GivenSettings
    ) throws(ConfigurationError) -> RunConfiguration {
        guard resume else { return try RunConfiguration(given.startingFromRun()) }
        let saved = try RunConfiguration(savedIn: configurationFile)
        return try saved.resumed(with: given, in: folder)
    }
}
