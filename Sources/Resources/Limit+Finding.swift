import CResources
import Glibc

extension ResourceError {
    static func resource(_ code: Int32) -> Resource? {
        switch code {
        case EMFILE, ENFILE: .descriptors(1)
        case ENOMEM, ENOBUFS: .memory(bytes: 0)
        default: nil
        }
    }
}

/// The limit that is in the way: the first that is reached, in the order in which the kernel looks.
extension Limit {
    /// Returns the limit that most likely refuses the resource; `unknown` where none is found.
    package static func of(_ resource: ResourceError.Resource) -> Limit {
        switch resource {
        case .threads(let count): ofThreads(count, stack: threadStack)
        case .process: ofThreads(1, stack: 0)
        case .memory(let bytes): ofMemory(bytes)
        case .descriptors: value(dtrain_files).map { .openFiles($0) } ?? .machineFiles
        }
    }

    private static func ofThreads(_ count: Int, stack: Int) -> Limit {
        if let bytes = value(dtrain_addresses), addressesUsed + count * stack > bytes {
            return .addressSpace(bytes: bytes)
        }
        if let group = ControlGroups().processes, group.left < count {
            return .groupProcesses(group.limit)
        }
        if let limit = value(dtrain_processes) { return .userProcesses(limit) }
        return number("/proc/sys/kernel/threads-max").map { .machineThreads($0) } ?? .unknown
    }

    /// Returns the limit that is reached. Where none is known to be reached, one that is set is
    /// named: memory may have been given back since it was refused.
    private static func ofMemory(_ bytes: Int) -> Limit {
        let groups = ControlGroups()
        if let limit = value(dtrain_addresses), addressesUsed + bytes > limit {
            return .addressSpace(bytes: limit)
        }
        if let limit = value(dtrain_data), dataUsed + bytes > limit { return .data(bytes: limit) }
        if let group = groups.memory, group.left < bytes {
            return .groupMemory(bytes: group.limit)
        }
        if let machine = machineMemory, bytes > machine { return .machineMemory(bytes: machine) }
        if let limit = value(dtrain_addresses) { return .addressSpace(bytes: limit) }
        if let limit = value(dtrain_data) { return .data(bytes: limit) }
        if let group = groups.memory { return .groupMemory(bytes: group.limit) }
        return machineMemory.map { .machineMemory(bytes: $0) } ?? .unknown
    }

    // MARK: what is used

    /// Returns a limit of this process; nil where there is none.
    private static func value(_ kind: Int) -> Int? {
        let limit = dtrain_limit(Int32(kind))
        return limit >= 0 ? limit : nil
    }

    static var addressesUsed: Int { statistic(0) }

    private static var dataUsed: Int { statistic(5) }

    /// Returns a column of `/proc/self/statm`, in bytes.
    private static func statistic(_ column: Int) -> Int {
        let words = systemText("/proc/self/statm").split(separator: " ")
        return words.count > column ? (Int(words[column]) ?? 0) * Int(getpagesize()) : 0
    }

    /// The bytes of memory and swap; nil if the system does not tell.
    static var machineMemory: Int? {
        let lines = systemText("/proc/meminfo").split(separator: "\n")
        func kilobytes(_ name: String) -> Int? {
            lines.first { $0.hasPrefix(name) }?.split(separator: " ").dropFirst().first
                .flatMap { Int($0) }
        }
        return kilobytes("MemTotal:").map { 1024 * ($0 + (kilobytes("SwapTotal:") ?? 0)) }
    }

    /// The number of descriptors that this process may still open; nil without a limit.
    static var descriptorsLeft: Int? {
        guard let limit = value(dtrain_files) else { return nil }
        // Without `opendir`, which takes a descriptor. Those in use need not be the lowest.
        var free = 0
        for descriptor in 0..<min(limit, 1024) where fcntl(Int32(descriptor), F_GETFD) < 0 {
            free += 1
        }
        return free + max(0, limit - 1024)
    }

    private static func number(_ path: String) -> Int? {
        systemText(path).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }
}

/// Returns the first 64 KiB of a file of the system's; empty where there is none.
func systemText(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < 64 << 10 {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}
