import CResources

/// Has a folder of ours removed if the process ends for want of memory or by a signal; it goes with
/// this, whose owner removes the folder in the usual way.
package final class PassingFolder: Sendable {
    private let place: Int32

    package init(_ path: String) { place = dtrain_remove_at_end(path) }

    deinit { dtrain_forget_folder(place) }
}
