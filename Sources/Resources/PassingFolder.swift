import CResources

/// A folder of ours that is removed if the process ends for want of memory or by a signal. Its
/// owner removes the folder in the usual way, and lets go of this.
package final class PassingFolder: Sendable {
    private let place: Int32

    /// Has the folder at `path` removed at such an end, until this is released.
    package init(_ path: String) { place = dtrain_remove_at_end(path) }

    deinit { dtrain_forget_folder(place) }
}
