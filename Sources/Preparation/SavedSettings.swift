import Checkpoint
import Settings

/// The settings that a run's folder holds: its `configuration.yaml`, or, where that is not whole,
/// what the newest whole checkpoint was made with.
package struct SavedSettings: Sendable {
    /// The settings, resolved as they were when the run began or last went on.
    package let configuration: RunConfiguration
    /// The note that they were taken from a checkpoint; nil if they were not.
    package let repair: Repair?

    /// Throws: `ConfigurationError`; `CheckpointError`: `noRun`, `nothingLeft`, `newer`, `io`.
    package init(of folder: String) throws {
        let paths = RunPaths(folder)
        switch try SettingsFile.read(paths.configuration) {
        case .success:
            configuration = try RunConfiguration(savedIn: paths.configuration)
            repair = nil
        case .failure(let unfit):
            let found = try CheckpointShelf(paths.checkpoints).newestWhole()
            guard let checkpoint = found.checkpoint else {
                let location = RunLocation(folder: folder, resume: true)
                throw location.content == .aRun
                    ? CheckpointError.nothingLeft(path: folder) : .noRun(path: folder)
            }
            configuration = try CheckpointFacts(checkpoint).configuration
            repair = .settingsFromCheckpoint(path: checkpoint.path, why: unfit.fault)
        }
    }
}
