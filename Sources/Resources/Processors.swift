import CResources
import Glibc

/// The number of threads that this process can run at once, and the bound that keeps it from more.
package struct Processors: Hashable, Sendable {
    /// The bound on the number of threads.
    package enum Bound: Hashable, Sendable {
        /// All processors of the machine are there.
        case machine
        /// `sched_setaffinity`: taskset, Slurm, a container's cpuset.
        case affinity
        /// Time of a control group for so many processors: its `cpu.max`.
        case quota(Double)
    }

    /// The number of threads that can run at once, at least 1.
    package let count: Int
    /// The number of processors of the machine that are online.
    package let online: Int
    /// The bound that `count` comes from.
    package let bound: Bound

    /// Finds the smallest bound.
    ///
    /// - Parameters:
    ///   - allowed: by the affinity mask; 0 if unknown.
    ///   - quota: processors' worth of time; nil for all.
    package init(online: Int, allowed: Int, quota: Double?) {
        let online = max(1, online)
        let allowed = allowed > 0 ? min(allowed, online) : online
        self.online = online
        // Half a processor more is used by a thread more.
        let paid = quota.map { max(1, Int($0.rounded(.up))) } ?? online
        if let quota, paid < allowed {
            (count, bound) = (paid, .quota(quota))
        } else {
            (count, bound) = (allowed, allowed < online ? .affinity : .machine)
        }
    }

    /// The processors of this process, as they were when first asked.
    package static let usable = Processors(
        online: sysconf(Int32(_SC_NPROCESSORS_ONLN)), allowed: Int(dtrain_processors_allowed()),
        quota: ControlGroups().processors)
}
