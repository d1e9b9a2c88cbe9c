import CLinux
import Foundation

/// Starts processes that die with this one, whatever ends it.
///
/// The kernel ends them with the thread that started them, so that is one that never ends.
final class Spawner: Sendable {
    static let shared = Spawner()

    struct Request {
        var executable: String
        var arguments: [String]
        var environment: [String: String]
        var folder: String
        var output: Int32
        var errors: Int32
        /// Without the rights that root has over files of any mode.
        var isPowerless = false
    }

    struct Failure: Error {
        let executable: String
        let code: Int32
    }

    private let thread = SerialThread()

    private init() { thread.start() }

    /// The new process, alone in a group of its own. Throws `Failure`.
    func spawn(_ request: Request) throws -> pid_t {
        try thread.run { Self.spawn(request) }.get()
    }

    private static func spawn(_ request: Request) -> Result<pid_t, Failure> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addchdir_np(&actions, request.folder)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, request.output, 1)
        posix_spawn_file_actions_adddup2(&actions, request.errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        prepare(&attributes)
        keepDescriptorsToOurselves()
        let command = command(request)
        var arguments = command.map { strdup($0) } + [nil]
        var environment =
            request.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        var processID: pid_t = 0
        let code = posix_spawn(
            &processID, command[0], &actions, &attributes, &arguments, &environment)
        return code == 0
            ? .success(processID) : .failure(Failure(executable: command[0], code: code))
    }

    /// What other tests hold open at this moment is not the program's.
    private static func keepDescriptorsToOurselves() {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// `setpriv` becomes the program, having asked the kernel for the signal.
    private static func command(_ request: Request) -> [String] {
        let own = [request.executable] + request.arguments
        let setpriv = "/usr/bin/setpriv"
        guard access(setpriv, X_OK) == 0 else { return own }
        let rights = request.isPowerless && geteuid() == 0 ? ["--bounding-set", "-all"] : []
        return [setpriv, "--pdeathsig", "KILL"] + rights + ["--"] + own
    }

    /// A group of its own, no signal blocked or ignored because this process does so.
    private static func prepare(_ attributes: inout posix_spawnattr_t) {
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    }
}

/// A thread that does one thing after another and never ends.
private final class SerialThread: @unchecked Sendable {
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var jobs: [@Sendable () -> Void] = []

    func start() {
        let thread = Thread { [self] in
            while true { next()() }
        }
        thread.name = "spawner"
        thread.start()
    }

    /// What `body` returned on that thread.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value {
        let done = DispatchSemaphore(value: 0)
        let slot = Slot<Value>()
        condition.withLock {
            jobs.append {
                slot.value = body()
                done.signal()
            }
            condition.signal()
        }
        done.wait()
        return slot.value!
    }

    private func next() -> @Sendable () -> Void {
        condition.withLock {
            while jobs.isEmpty { condition.wait() }
            return jobs.removeFirst()
        }
    }

    /// Written before the semaphore is signalled, read after.
    private final class Slot<Value>: @unchecked Sendable { var value: Value? }
}
