/// The limits of the control groups of this process, of either version (cgroups(7)).
package struct ControlGroups {
    /// A limit, and how much of it is left.
    package struct Share: Hashable, Sendable {
        /// The limit itself: a number of processes and threads, or of bytes.
        package var limit: Int
        /// The number that may still be taken, 0 or more.
        package var left: Int

        /// Makes a share of its parts.
        package init(limit: Int, left: Int) {
            self.limit = limit
            self.left = left
        }
    }

    /// A group's folder, and that of each group around it, innermost first.
    private struct Hierarchy {
        var isUnified: Bool
        var folders: [String]
    }

    private let root: String
    private let memberships: [(controllers: [String], path: String)]
    private let mounts: [Mount]

    fileprivate struct Mount {
        /// The root of the hierarchy, which the mount point shows.
        var root: String
        var point: String
        var type: String
        /// The mount's options; the controllers of the first version are among them.
        var options: [String]
    }

    /// Looks at the groups of this process. Tests give another `root`,
    /// in which `/proc` and `/sys` lie.
    package init(root: String = "") {
        self.root = root
        memberships = systemText(root + "/proc/self/cgroup").split(separator: "\n").compactMap {
            let parts = $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            return (parts[1].split(separator: ",").map(String.init), String(parts[2]))
        }
        mounts = systemText(root + "/proc/self/mountinfo").split(separator: "\n").compactMap {
            Mount(line: $0)
        }
    }

    /// The processors' worth of time that the group with the least has; nil without a quota.
    package var processors: Double? {
        shares(of: "cpu") { folder, isUnified in
            let (quota, period): (Int?, Int?)
            if isUnified {
                let words = text("\(folder)/cpu.max").split(whereSeparator: \.isWhitespace)
                guard words.count == 2 else { return nil }
                (quota, period) = (Int(words[0]), Int(words[1]))
            } else {
                quota = number("\(folder)/cpu.cfs_quota_us")
                period = number("\(folder)/cpu.cfs_period_us")
            }
            guard let quota, let period, quota > 0, period > 0 else { return nil }
            return Double(quota) / Double(period)
        }.min()
    }

    /// The processes and threads that the group with the fewest left allows; nil without a limit.
    package var processes: Share? {
        shares(of: "pids") { folder, _ in
            guard let limit = number("\(folder)/pids.max"),
                let used = number("\(folder)/pids.current")
            else { return nil }
            return Share(limit: limit, left: max(0, limit - used))
        }.min { $0.left < $1.left }
    }

    /// The bytes that the group with the fewest left allows, those that hold files
    /// counted as free. Nil means no limit.
    package var memory: Share? {
        shares(of: "memory") { folder, isUnified in
            let limit = number("\(folder)/\(isUnified ? "memory.max" : "memory.limit_in_bytes")")
            let used = number(
                "\(folder)/\(isUnified ? "memory.current" : "memory.usage_in_bytes")")
            // The first version says a number like this where there is no limit.
            guard let limit, let used, limit < 1 << 60 else { return nil }
            let name = isUnified ? "file " : "total_cache "
            let cache = text("\(folder)/memory.stat").split(separator: "\n")
                .first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) }
            return Share(limit: limit, left: max(0, limit - used + (cache ?? 0)))
        }.min { $0.left < $1.left }
    }

    // MARK: where the groups are

    private func shares<Value>(
        of controller: String, _ read: (_ folder: String, _ isUnified: Bool) -> Value?
    ) -> [Value] {
        hierarchies(of: controller).flatMap { hierarchy in
            hierarchy.folders.compactMap { read($0, hierarchy.isUnified) }
        }
    }

    private func hierarchies(of controller: String) -> [Hierarchy] {
        memberships.compactMap { membership in
            let isUnified = membership.controllers.isEmpty
            guard isUnified || membership.controllers.contains(controller),
                let mount = mounts.first(where: {
                    isUnified
                        ? $0.type == "cgroup2"
                        : $0.type == "cgroup" && $0.options.contains(controller)
                })
            else { return nil }
            return Hierarchy(isUnified: isUnified, folders: folders(membership.path, mount))
        }
    }

    private func folders(_ path: String, _ mount: Mount) -> [String] {
        var path = path
        if mount.root != "/" {
            // A container may see its own group as the root, by another name.
            path = path.hasPrefix(mount.root) ? String(path.dropFirst(mount.root.count)) : ""
        }
        var names = path.split(separator: "/")
        // The path leads outside what this namespace shows.
        if names.first == ".." { names = [] }
        return (0...names.count).reversed().map { count in
            ([root + mount.point] + names[..<count].map(String.init)).joined(separator: "/")
        }
    }

    private func text(_ path: String) -> String { systemText(path) }

    /// Returns the first number of a file; nil also for `max`.
    private func number(_ path: String) -> Int? {
        text(path).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }
}

extension ControlGroups.Mount {
    /// A line of `/proc/self/mountinfo` (proc(5)).
    fileprivate init?(line: Substring) {
        let words = line.split(separator: " ")
        guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 3 else {
            return nil
        }
        root = String(words[3])
        point = String(words[4])
        type = String(words[dash + 1])
        options = words[dash + 3].split(separator: ",").map(String.init)
    }
}
