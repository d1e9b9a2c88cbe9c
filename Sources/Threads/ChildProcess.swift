import CLinux
import Foundation
import Glibc
import Resources

/// A process of this program that another one starts: its output goes to a log.
///
/// It begins with the signals blocked that are its parent's to take (Ctrl-C and the like go to the
/// whole group), until it has said what it makes of them.
package enum ChildProcess {
    /// - Parameter environment: `NAME=value`; nil for this process's.
    /// - Throws: `ResourceError`, `POSIXFailure`.
    package static func start(
        _ words: [String], executable: String = "/proc/self/exe", environment: [String]? = nil,
        log: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&mask, signal) }
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pointers = words.map { strdup($0) } + [nil]
        var settings = (environment ?? []).map { strdup($0) } + [nil]
        defer { for pointer in pointers + settings { free(pointer) } }
        var processID: pid_t = 0
        let code =
            environment == nil
            ? posix_spawn(&processID, executable, &actions, &attributes, &pointers, environ)
            : posix_spawn(&processID, executable, &actions, &attributes, &pointers, &settings)
        if code == EAGAIN { throw ResourceError(.process, .of(.process)) }
        guard code == 0 else { throw POSIXFailure(call: "posix_spawn", code: code) }
        return processID
    }

    /// The sentence that a process has ended with, without the program's name.
    package static func lastSentence(in log: String) -> String? {
        let text = try? String(contentsOfFile: log, encoding: .utf8)
        return text?.split(separator: "\n").last { $0.hasPrefix("dtrain: ") }
            .map { String($0.dropFirst("dtrain: ".count)) }
    }
}

/// A system call that failed.
package struct POSIXFailure: Error, Sendable {
    /// The name of the call, as `posix_spawn`.
    package let call: String
    /// An errno.
    package let code: Int32

    /// Makes a failure of its parts.
    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }
}

extension ExitStatus {
    /// Reads the status that `waitpid` gives.
    package init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .code(status >> 8 & 0xff) : .signal(signal)
    }
}
