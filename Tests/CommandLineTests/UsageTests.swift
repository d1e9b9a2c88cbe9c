import Foundation
import TestKit
import Testing

/// Checks that `outcome` is a refusal: the exit code and one sentence with all of `words`.
func expectRefusal(
    _ outcome: Program.Outcome, code: Int32, words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.code == code, "\(outcome.errors)", sourceLocation: sourceLocation)
    #expect(outcome.output == "", sourceLocation: sourceLocation)
    #expect(
        outcome.errorLines.count == 1 && outcome.errors.hasPrefix("dtrain: "),
        "\(outcome.errors)", sourceLocation: sourceLocation)
    for word in words {
        #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
    }
}

@Suite("What the command line refuses")
struct UsageTests {
    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
    }

    func run(_ line: String) throws -> Program.Outcome {
        try program.run(line.split(separator: " ").map(String.init), in: folder.url)
    }

    @Test(arguments: [
        ("train --workers 0", "--workers 0"),
        ("train --workers -1", "--workers -1"),
        ("train --workers two", "--workers takes a whole number of at least 1, not 'two'"),
        ("train --workers 9", "--workers 9 is more than --shards 8"),
        ("train --heads 3", "--heads 3 does not divide --d-model 128"),
        ("train --d-model 100 --heads 8", "--heads 8 does not divide --d-model 100"),
        ("train --d-model 4294967296", "--d-model 4294967296"),
        ("train --preset large", "tiny, small or base"),
        ("train --dropout 1.5", "--dropout 1.5"),
        ("train --learning-rate nan", "--learning-rate"),
        ("train --peer-timeout 10", "--peer-timeout"),
        ("train --positions 1", "--positions"),
        ("train --source a.en", "--source needs --target"),
        ("train --corpus a --source b --target c", "exclude"),
        ("train --steps 0", "--steps 0"),
        ("train --shards 0", "--shards 0"),
        ("train --keep 0", "--keep 0"),
        ("train --secure --insecure", "--insecure and --secure exclude each other"),
        ("train --secure --transport ipc", "plain numbers within a host"),
        ("bench all-reduce --secure --transport shared", "plain numbers within a host"),
        ("train --bind 5555", "--bind takes an address"),
        ("coordinator --workers 0", "--workers 0"),
        ("worker", "--connect"),
        ("worker --connect tcp://[::1]:1 --insecure --ring-port 80x", "a port or a range"),
        ("worker --connect tcp://[::1]:1 --insecure --ring-port 9-3", "give 3-9"),
        ("worker --connect tcp://[::1]:1 --insecure --ring-port 70000", "--ring-port 70000"),
        ("worker --connect tcp://[::1]:1 --insecure --advertise a/b", "--advertise takes"),
        ("worker --connect tcp://[::1]:1 --token-file t --interface nic9", "--interface nic9"),
        ("worker --connect tcp://[::1]:1 --insecure --relay --ring-port 1", "exclude each other"),
        ("coordinator --advertise a:b:c:1.x/", "--advertise takes"),
        ("worker --connect localhost", "--connect takes an address"),
        ("worker --connect tcp://10.0.0.1:5555", "give --token-file RUN/token"),
        ("worker --connect tcp://10.0.0.1:5555 --token abc", "begins with dtrain1-"),
        ("worker --connect tcp://10.0.0.1:5555 --token dtrain1-abc", "instead of 109"),
        ("worker --connect tcp://h:1 --token dtrain1-a --insecure", "exclude each other"),
        ("status --connect tcp://10.0.0.1:5555", "holds no token"),
        ("token show", "there is no runs/latest"),
        ("worker --connect tcp://127.0.0.1:1 --insecure --threads 0", "--threads 0"),
        ("worker --connect tcp://127.0.0.1:1 --insecure --wait soon", "--wait"),
        ("translate --beam 0", "--beam 0"),
        ("evaluate --threads many", "--threads"),
        ("bench step --length 0", "--length 0"),
        ("bench all-reduce --bytes 6", "--bytes 6"),
        ("bench all-reduce --bytes 4,,8", "--bytes"),
        ("bench all-reduce --one-port", "--transport ipc, --transport tcp or --secure"),
        ("bench all-reduce --transport pigeon", "auto, shared, ipc or tcp"),
        ("trian", "'trian'"),
        ("train --wrokers 3", "did you mean '--workers'?"),
        ("train --workers", "--workers"),
        ("train --resume --run absent", "finds no run: there is no absent"),
        ("train --run /dev/null", "is a file"),
    ])
    func `with code 64 and one sentence that names the flag`(line: String, words: String) throws {
        expectRefusal(try run(line), code: 64, words: [words])
        #expect(try folder.entries == [], "something was left behind")
    }

    @Test func `a folder with something in it, unless it is resumed`() throws {
        try folder.write("old", to: "run/note")
        expectRefusal(try run("train --run run"), code: 64, words: ["not empty", "--resume"])
        #expect(try folder.entries == ["run"])
    }

    @Test func `on resume what would change the numbers`() throws {
        try folder.write("shards: 4\nsteps: 30\npeer-timeout: 10s\n", to: "run/configuration.yaml")
        expectRefusal(
            try run("train --run run --resume --shards 8"), code: 64,
            words: [
                "--shards is 8 here and 4 in the run", "--config run/configuration.yaml --shards 8",
            ])
        expectRefusal(
            try run("train --run run --resume --workers 5"), code: 64,
            words: ["--workers 5 is more than --shards 4"])
    }

    @Test(arguments: [
        ("seed: 1\nsede: 2\n", ["'sede' in", "line 2", "did you mean 'seed'?"]),
        ("seed: 1\nworkers: 0\n", ["'workers: 0' in", "line 2"]),
        ("seed: 1\nseed: 2\n", ["'seed' in", "line 2", "twice"]),
        ("seed: {}\n", ["'seed' in", "line 1", "single value"]),
        ("seed: '1\n", ["line "]),
        ("steps: 1e3\n", ["'steps' in", "line 1", "not '1e3': write 1000"]),
    ])
    func `configuration files that say what is wrong and where`(
        yaml: String, words: [String]
    ) throws {
        try folder.write(yaml, to: "c.yaml")
        expectRefusal(
            try run("train --config c.yaml"), code: 64, words: words + ["c.yaml"])
    }

    @Test func `a configuration file that is not there`() throws {
        expectRefusal(
            try run("train --config c.yaml"), code: 74, words: ["c.yaml", "No such file"])
    }
}

@Suite("What the command line explains")
struct HelpTests {
    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
    }

    @Test(arguments: [
        "", "train", "coordinator", "worker", "translate", "evaluate", "inspect", "verify",
        "simulate", "bench step", "bench all-reduce", "token", "token show", "token rotate",
    ])
    func `every command has help that begins with what it does`(command: String) throws {
        let arguments = command.split(separator: " ").map(String.init) + ["--help"]
        let outcome = try program.run(arguments, in: folder.url)
        #expect(outcome.code == 0)
        #expect(outcome.output.hasPrefix("OVERVIEW: "))
        #expect(outcome.output.contains("EXAMPLE") || command == "bench")
        #expect(outcome.errors == "")
    }

    @Test func `the version names commit and build`() throws {
        let outcome = try program.run(["--version"], in: folder.url)
        #expect(outcome.code == 0)
        #expect(outcome.output.contains(/dtrain [0-9.]+ \(commit ([0-9a-f]{12}|unknown)\)/))
        #expect(outcome.output.contains(/(debug|release) build/))
    }
}
