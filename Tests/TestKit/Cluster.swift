import CLinux
import Checkpoint
import Foundation
import Processes

/// Real `dtrain` processes around one run folder.
///
///     let cluster = try Cluster()
///     let coordinator = try cluster.coordinator("--workers 2 --steps 60")
///     let workers = try (1...2).map { _ in try cluster.worker(of: coordinator) }
///     try coordinator.waitFor(step: 7)
///     workers[0].kill()
///     try coordinator.waitForEnd()
///
/// As long as it or one of its programs is held, they live; afterwards nothing of them is left.
package struct Cluster: Sendable {
    /// A part of the embedded text and a model whose steps take a few milliseconds, each of which
    /// is said.
    package static let tiny = """
        --corpus \(ExcerptFile.path) --vocabulary 300 --d-model 32 --layers 1 --heads 2 --d-ff 64 \
        --batch-tokens 512 --validate-every 0 --log-every 1
        """

    /// `tiny` but for the options that `line` gives otherwise.
    private static func tiny(beside line: String) -> String {
        let words = tiny.split(separator: " ")
        let given = Set(line.split(separator: " "))
        return stride(from: 0, to: words.count, by: 2)
            .filter { !given.contains(words[$0]) }
            .map { "\(words[$0]) \(words[$0 + 1])" }.joined(separator: " ")
    }

    /// A file with a part of the embedded text.
    package static var excerpt: String { ExcerptFile.path }

    let stage: Stage
    let program: Program

    package init() throws {
        program = try Program()
        stage = try Stage()
    }

    package var folder: TemporaryFolder { stage.folder }

    /// The files of the run in `run`.
    package var run: RunFiles { RunFiles(folder: folder.file("run").path) }

    // MARK: starting

    /// Starts `dtrain` with arguments that are separated by spaces, in the test's folder.
    package func start(
        _ line: String, as name: String, isPowerless: Bool = false
    ) throws -> RunningProgram {
        let arguments = line.split(separator: " ").map(String.init)
        let process = try stage.start(
            program.executable, arguments, as: name, isPowerless: isPowerless)
        return RunningProgram(process: process, stage: stage)
    }

    /// `train` with the tiny model and the folder `run`.
    package func train(_ line: String, as name: String = "train") throws -> RunningProgram {
        try start("train --run run \(Self.tiny(beside: line)) \(line)", as: name)
    }

    /// `coordinator` with the tiny model and the folder `run`, on a free port unless told otherwise.
    package func coordinator(
        _ line: String, bind: String = "tcp://127.0.0.1:0", as name: String = "coordinator"
    ) throws -> RunningProgram {
        try start(
            "coordinator --run run --bind \(bind) \(Self.tiny(beside: line)) \(line)", as: name)
    }

    /// What lets workers into the run in `run`.
    package var token: Token {
        get throws { try Token(PrivateFile.read(folder.file("run/token").path)) }
    }

    /// `worker` of one thread with `coordinator`, which must have said that it listens.
    package func worker(
        of coordinator: RunningProgram, _ line: String = "--threads 1",
        access: String = "--token-file run/token", as name: String = "worker"
    ) throws -> RunningProgram {
        try start("worker --connect \(try coordinator.address) \(access) \(line)", as: name)
    }

    /// Runs a command to its end.
    package func finish(
        _ line: String, within seconds: Double = RunningProgram.patience
    ) throws -> RunningProgram {
        let program = try start(line, as: line)
        try program.waitForEnd(within: seconds)
        return program
    }

    /// Runs a line of bash, in which `dtrain` is ours.
    package func shell(_ line: String) throws -> RunningProgram {
        let folder = program.executable.deletingLastPathComponent().path
        let process = try stage.start(
            URL(fileURLWithPath: "/bin/bash"), ["-c", "PATH=\(folder):$PATH; \(line)"],
            as: "shell", isPowerless: false)
        return RunningProgram(process: process, stage: stage)
    }

    // MARK: processes that `dtrain` has started

    /// Sends a signal to one of the processes that `joined` lists.
    package func send(_ signal: Int32, to processID: pid_t) { kill(processID, signal) }

    /// Waits until a process that is no child of this one has ended.
    package func waitUntilGone(
        _ processID: pid_t, within seconds: Double = RunningProgram.patience
    ) throws {
        let descriptor = pidfd_open(processID, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var events = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&events, 1, Int32(seconds * 1000)) == 1 else {
            throw ClusterFailure(
                expected: "the end of process \(processID)", account: stage.account)
        }
    }

    // MARK: what is left

    /// What should not be there once all is over: living processes, files in the folder for
    /// temporary ones.
    package var remains: [String] {
        get throws {
            let files = try FileManager.default.contentsOfDirectory(
                atPath: folder.file("tmp").path)
            return stage.survivors.map { "process \($0)" } + files.map { "file \($0)" }
        }
    }
}

extension RunningProgram {
    /// Where a coordinator or `train` listens, once it has said so.
    package var address: String {
        get throws {
            let words = try waitFor("listening on tcp://").text.split(separator: " ")
            return String(words.first { $0.hasPrefix("tcp://") }!.dropLast())
        }
    }

    /// The processes of workers that have joined so far, in that order.
    package var joined: [pid_t] {
        lines.compactMap { line in
            guard line.text.contains(" joined from "),
                let words = line.text.split(separator: "(process ").last
            else { return nil }
            return pid_t(words.prefix { $0.isNumber })
        }
    }

    /// The digest that a finished run prints.
    package var digest: String? {
        output.last { $0.hasPrefix("step ") && $0.contains(" digest ") }?
            .split(separator: " ").last.map(String.init)
    }
}
