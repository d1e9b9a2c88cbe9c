import CLinux
import Foundation

/// A line that a process has written, and when it arrived here.
package struct Line: Sendable {
    package let text: String
    /// From standard error, else from standard output.
    package let isError: Bool
    package let arrival: ContinuousClock.Instant
}

/// A process of a stage: collects its lines as they come, reaps it when it ends.
final class StartedProcess: @unchecked Sendable {
    struct Record {
        var lines: [Line] = []
        /// The exit code, minus the signal's number if one ended it; nil while it lives.
        var code: Int32?
    }

    let name: String
    let processID: pid_t
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var record = Record()

    init(name: String, request: Spawner.Request) throws {
        self.name = name
        let output = try Self.pipe()
        let errors = try Self.pipe()
        defer { for descriptor in [output.write, errors.write] { close(descriptor) } }
        var request = request
        request.output = output.write
        request.errors = errors.write
        do {
            processID = try Spawner.shared.spawn(request)
        } catch {
            for descriptor in [output.read, errors.read] { close(descriptor) }
            throw error
        }
        let thread = Thread { [self] in
            read(output: output.read, errors: errors.read)
            reap()
        }
        thread.name = "reader of \(name)"
        thread.start()
    }

    /// Close-on-exec: processes that others start meanwhile must not hold it open.
    private static func pipe() throws -> (read: Int32, write: Int32) {
        var descriptors: [Int32] = [-1, -1]
        guard pipe2(&descriptors, O_CLOEXEC) == 0 else {
            throw Spawner.Failure(executable: "pipe", code: errno)
        }
        return (descriptors[0], descriptors[1])
    }

    // MARK: what others see

    var now: Record { condition.withLock { record } }

    /// What `find` finds in the record, looking again whenever there is something new; nil when
    /// that is not before `deadline`, or never because the process has ended.
    func wait<Value>(until deadline: Date, for find: (Record) -> Value?) -> Value? {
        condition.withLock {
            while true {
                if let value = find(record) { return value }
                if record.code != nil || !condition.wait(until: deadline) {
                    return find(record)
                }
            }
        }
    }

    /// Sends `signal` to the process, or to its whole group, unless it has been reaped: its number
    /// may be another's by then.
    func send(_ signal: Int32, toGroup: Bool = false) {
        condition.withLock {
            guard record.code == nil else { return }
            kill(toGroup ? -processID : processID, signal)
        }
    }

    // MARK: the reader

    private func read(output: Int32, errors: Int32) {
        var sources = [
            pollfd(fd: output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
        ]
        var rests: [[UInt8]] = [[], []]
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while sources.contains(where: { $0.fd >= 0 }) {
            guard poll(&sources, nfds_t(sources.count), -1) > 0 else { continue }
            for index in sources.indices where sources[index].revents != 0 {
                let count = Glibc.read(sources[index].fd, &buffer, buffer.count)
                if count > 0 {
                    rests[index] += buffer[..<count]
                    takeLines(from: &rests[index], isError: index == 1)
                } else if count == 0 || errno != EINTR {
                    close(sources[index].fd)
                    sources[index].fd = -1
                    if !rests[index].isEmpty { rests[index].append(UInt8(ascii: "\n")) }
                    takeLines(from: &rests[index], isError: index == 1)
                }
            }
        }
    }

    private func takeLines(from rest: inout [UInt8], isError: Bool) {
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return }
        let now = ContinuousClock.now
        let lines = rest[..<end].split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).map { Line(text: String(decoding: $0, as: UTF8.self), isError: isError, arrival: now) }
        rest.removeFirst(end + 1)
        condition.withLock {
            record.lines += lines
            condition.broadcast()
        }
    }

    private func reap() {
        // The first wait leaves the zombie, so that the number stays its own until the lock is held.
        var information = siginfo_t()
        while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR
        {}
        condition.withLock {
            var status: Int32 = 0
            waitpid(processID, &status, 0)
            let signal = status & 0x7f
            record.code = signal == 0 ? status >> 8 & 0xff : -signal
            condition.broadcast()
        }
    }
}
