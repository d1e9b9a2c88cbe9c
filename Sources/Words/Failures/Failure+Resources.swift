import Resources
import Threads

extension Failure {
    package init(_ error: ResourceError) {
        self.init(
            .resources,
            "the system refuses \(Self.words(error.resource)): \(Self.words(error.limit)), "
                + Self.advice(error))
    }

    private static func words(_ resource: ResourceError.Resource) -> String {
        switch resource {
        case .threads(1): "a thread"
        case .threads(let count): "\(count) threads"
        case .memory(bytes: 0): "memory"
        case .memory(let bytes) where bytes < 1_000_000: "\(bytes) bytes of memory"
        case .memory(let bytes): "\(grouped(bytes / 1_000_000)) MB of memory"
        case .descriptors(1): "another open file"
        case .descriptors(let count): "\(count) more open files"
        case .process: "another process"
        }
    }

    private static func words(_ limit: Limit) -> String {
        switch limit {
        case .addressSpace(let bytes):
            "the address space is limited to \(bytes / 1024) kB (ulimit -v)"
        case .data(let bytes): "data is limited to \(bytes / 1024) kB (ulimit -d)"
        case .groupMemory(let bytes):
            "the control group allows \(grouped(bytes / 1_000_000)) MB (memory.max)"
        case .machineMemory(let bytes): "this host has \(grouped(bytes / 1_000_000)) MB"
        case .userProcesses(let count):
            "this user may have \(count) processes and threads (ulimit -u)"
        case .groupProcesses(let count):
            "the control group allows \(count) processes and threads (pids.max)"
        case .machineThreads(let count):
            "this host allows \(count) threads (kernel.threads-max)"
        case .openFiles(let count): "a process may have \(count) files open (ulimit -n)"
        case .machineFiles: "this host allows no more (fs.file-max)"
        case .unknown: "it does not say why"
        }
    }

    private static func advice(_ error: ResourceError) -> String {
        switch error.resource {
        case .threads: "raise that or give fewer --threads"
        case .process: "raise that or give fewer --workers"
        case .descriptors: "raise that"
        case .memory:
            switch error.limit {
            case .machineMemory, .unknown: "take a smaller model or batch, or a larger host"
            default: "raise that or take a smaller model or batch"
            }
        }
    }

    /// What is said behind "the system refuses so many bytes of memory" where memory ends unasked.
    package static func lastWords(_ limit: Limit) -> String {
        words(limit) + ", " + advice(ResourceError(.memory(bytes: 0), limit))
    }

    /// A system call's errno as a failure: 71 where a resource is used up, else `otherwise`.
    package init(errno code: Int32, otherwise: Failure) {
        self = ResourceError(errno: code).map { Failure($0) } ?? otherwise
    }

    package init(_ error: POSIXFailure) {
        self.init(
            errno: error.code, otherwise: .io("\(error.call) failed: \(reason(error.code))"))
    }
}
