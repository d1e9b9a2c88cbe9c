import Foundation

/// Memory that a process may still take.
package enum HostMemory {
    /// Bytes: the smaller of what the kernel deems available and what control groups leave.
    package static func available() -> Int {
        let lines = text("/proc/meminfo").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("MemAvailable:") }
        let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return min(1024 * kilobytes, leftByGroups())
    }

    /// Every group from this process's own to the root may have a limit.
    private static func leftByGroups() -> Int {
        let line = text("/proc/self/cgroup").split(separator: "\n").first { $0.hasPrefix("0::/") }
        var path = line.map { String($0.dropFirst(3)) } ?? "/"
        var left = Int.max
        while true {
            let folder = "/sys/fs/cgroup" + (path == "/" ? "" : path)
            if let limit = number("\(folder)/memory.max"),
                let used = number("\(folder)/memory.current")
            {
                left = min(left, max(0, limit - used))
            }
            guard path != "/", let slash = path.lastIndex(of: "/") else { return left }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    private static func number(_ path: String) -> Int? {
        Int(text(path).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
