import Foundation

/// Hosts of a test on this machine, each with a network of its own: what `cluster/hosts` makes.
///
/// When it is released nothing of them is left.
package final class Hosts: Sendable {
    private static let script = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("../../cluster/hosts")
        .standardizedFileURL.path
    private let name: String

    /// Why there can be none here; nil where they can be made.
    package static let hindrance: String? = {
        guard geteuid() == 0 else { return "network namespaces need root" }
        guard FileManager.default.isExecutableFile(atPath: script) else {
            return "\(script) is missing"
        }
        do {
            let hosts = try Hosts(1)
            try hosts.tell("ports", "0", "1")
            return nil
        } catch {
            return "\(error)"
        }
    }()

    /// Makes the hosts 0 to `count` - 1, with the addresses 10.77.0.10 + I and fd77::10 + I.
    package init(_ count: Int) throws {
        name = "t\(getpid())-\(UInt32.random(in: 0..<100_000))"
        try tell("up", "\(count)")
    }

    deinit { _ = try? tell("down") }

    /// What the script said instead of doing as it was told.
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    /// Gives the script a command, such as `cut 2`; returns what it printed.
    @discardableResult
    package func tell(_ words: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.script)
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment
            .merging(["DTRAIN_HOSTS": name]) { $1 }
        let errors = Pipe()
        let output = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Refusal(description: String(decoding: said, as: UTF8.self))
        }
        return String(decoding: printed, as: UTF8.self)
    }

    /// The command that runs another on a host.
    fileprivate func command(on host: Int) -> [String] {
        ["DTRAIN_HOSTS=\(name)", Self.script, "exec", "\(host)"]
    }
}

extension Cluster {
    /// Starts `dtrain` on a host, with arguments that are separated by spaces, in the test's folder.
    package func start(_ line: String, on host: Int, of hosts: Hosts, as name: String) throws
        -> RunningProgram
    {
        let words = line.split(separator: " ").map(String.init)
        let process = try stage.start(
            URL(fileURLWithPath: "/usr/bin/env"),
            hosts.command(on: host) + [program.executable.path] + words, as: name,
            isPowerless: false)
        return RunningProgram(process: process, stage: stage)
    }
}
