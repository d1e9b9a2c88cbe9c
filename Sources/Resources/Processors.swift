import CResources
import Glibc

/// How many threads this process can run at once, and what keeps it from more.
package struct Processors: Hashable, Sendable {
    package enum Bound: Hashable, Sendable {
        /// All processors of the machine are there.
        case machine
        /// `sched_setaffinity`: taskset, Slurm, a container's cpuset.
        case affinity
        /// Time for so many processors: `cpu.max` of a control group.
        case quota(Double)
    }

    package let count: Int
    /// Of the machine.
    package let online: Int
    package let bound: Bound

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

    /// Of this process, as it was first asked.
    package static let usable = Processors(
        online: sysconf(Int32(_SC_NPROCESSORS_ONLN)), allowed: Int(dtrain_processors_allowed()),
        quota: ControlGroups().processors)
}
