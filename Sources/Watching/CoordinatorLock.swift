import Foundation
import Glibc

/// Whether a coordinator of this host has a run's folder open.
package enum CoordinatorLock {
    /// Looks at the system's list of locks. To try the lock would be in the way of who takes it.
    package static func isHeld(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0,
            let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
        else { return false }
        let inode = ":\(status.st_ino)"
        return locks.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.contains("FLOCK") && !words.contains("->")
                && words.contains { $0.hasSuffix(inode) }
        }
    }
}
