import Foundation

/// The `dtrain` that was built beside the tests.
package struct Program: Sendable {
    /// What a finished process left.
    package struct Outcome: Sendable {
        /// Minus the signal's number if one ended it.
        package let code: Int32
        package let output: String
        package let errors: String

        /// The lines on standard error, without the newline that must end the last.
        package var errorLines: [Substring] {
            errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        }
    }

    package struct DeadlinePassed: Error { package let arguments: [String] }

    package let executable: URL

    /// Throws if there is none.
    package init() throws {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        var folders = [tests.deletingLastPathComponent()]
        // Under `swift test` of some toolchains a helper of the toolchain loads the tests.
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            folders.append(URL(fileURLWithPath: argument).deletingLastPathComponent())
        }
        let candidates = folders.map { $0.appendingPathComponent("dtrain") }
        guard
            let found = candidates.first(where: {
                FileManager.default.isExecutableFile(atPath: $0.path)
            })
        else { throw CocoaError(.fileNoSuchFile) }
        executable = found
    }

    /// Runs to the end. Throws `DeadlinePassed` after killing what has not ended by `deadline`.
    package func run(
        _ arguments: [String], in folder: URL, input: String = "",
        environment: [String: String] = [:], deadline: TimeInterval = 120
    ) throws -> Outcome {
        try run(executable, arguments, folder, input, environment, deadline)
    }

    /// Types `line` in a shell in which `dtrain` is this program, as a person would.
    package func type(
        _ line: String, in folder: URL, deadline: TimeInterval = 120
    ) throws -> Outcome {
        let shell = "dtrain() { '\(executable.path)' \"$@\"; }; \(line)"
        return try run(
            URL(fileURLWithPath: "/bin/sh"), ["-c", shell], folder, "", [:], deadline)
    }

    private func run(
        _ executable: URL, _ arguments: [String], _ folder: URL, _ input: String,
        _ environment: [String: String], _ deadline: TimeInterval
    ) throws -> Outcome {
        let scratch = try TemporaryFolder()
        try Data(input.utf8).write(to: scratch.file("input"))
        for name in ["output", "errors"] { try Data().write(to: scratch.file(name)) }
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, not pipes: nothing waits for anybody to read.
        process.standardInput = try FileHandle(forReadingFrom: scratch.file("input"))
        process.standardOutput = try FileHandle(forWritingTo: scratch.file("output"))
        process.standardError = try FileHandle(forWritingTo: scratch.file("errors"))
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        if ended.wait(timeout: .now() + deadline) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            throw DeadlinePassed(arguments: arguments)
        }
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: scratch.file(name)), as: UTF8.self)
        }
        let status = process.terminationStatus
        return Outcome(
            code: process.terminationReason == .exit ? status : -status,
            output: try text("output"), errors: try text("errors"))
    }
}
