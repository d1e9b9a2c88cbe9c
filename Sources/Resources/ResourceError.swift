import Glibc

/// The system has refused something that everything else stands on, or is about to.
package struct ResourceError: Error, Hashable, Sendable {
    /// A resource that the system has refused, or would.
    package enum Resource: Hashable, Sendable {
        /// So many threads that are needed at once.
        case threads(Int)
        case memory(bytes: Int)
        case descriptors(Int)
        case process
    }

    /// The resource that was refused.
    package var resource: Resource
    /// The limit that most likely stands in the way.
    package var limit: Limit

    /// Makes an error of its parts.
    package init(_ resource: Resource, _ limit: Limit) {
        self.resource = resource
        self.limit = limit
    }

    /// Reads a system call's errno; nil unless it says that a resource is used up.
    package init?(errno code: Int32) {
        guard let resource = Self.resource(code) else { return nil }
        self.init(resource, code == ENFILE ? .machineFiles : .of(resource))
    }
}

/// A limit of the system, and its value.
package enum Limit: Hashable, Sendable {
    /// `ulimit -v`.
    case addressSpace(bytes: Int)
    /// `ulimit -d`.
    case data(bytes: Int)
    /// `memory.max` of a control group.
    case groupMemory(bytes: Int)
    /// Memory and swap of the machine.
    case machineMemory(bytes: Int)
    /// `ulimit -u`: processes and threads of the user.
    case userProcesses(Int)
    /// `pids.max` of a control group.
    case groupProcesses(Int)
    /// `kernel.threads-max`.
    case machineThreads(Int)
    /// `ulimit -n`.
    case openFiles(Int)
    /// `fs.file-max`.
    case machineFiles
    case unknown
}

/// A few words, for what other processes are told and for logs.
extension ResourceError: CustomStringConvertible {
    /// The refusal in a few words, for other processes and for logs.
    package var description: String {
        switch resource {
        case .threads(let count): "\(count) thread\(count == 1 ? "" : "s") refused, \(limit)"
        case .memory(let bytes): "\(bytes) bytes of memory refused, \(limit)"
        case .descriptors(let count):
            "\(count) descriptor\(count == 1 ? "" : "s") refused, \(limit)"
        case .process: "a process refused, \(limit)"
        }
    }
}

extension Limit: CustomStringConvertible {
    /// The limit in a few words, with its value.
    package var description: String {
        switch self {
        case .addressSpace(let bytes): "ulimit -v is \(bytes / 1024)"
        case .data(let bytes): "ulimit -d is \(bytes / 1024)"
        case .groupMemory(let bytes): "memory.max of the control group is \(bytes)"
        case .machineMemory(let bytes): "the machine has \(bytes)"
        case .userProcesses(let count): "ulimit -u is \(count)"
        case .groupProcesses(let count): "pids.max of the control group is \(count)"
        case .machineThreads(let count): "kernel.threads-max is \(count)"
        case .openFiles(let count): "ulimit -n is \(count)"
        case .machineFiles: "fs.file-max is reached"
        case .unknown: "for a reason that it does not tell"
        }
    }
}
