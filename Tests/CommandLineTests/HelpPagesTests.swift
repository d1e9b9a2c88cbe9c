import Foundation
import TestKit
import Testing

/// What a help text says of each option and subcommand, by its names.
private struct Help {
    var entries: [String: String] = [:]

    /// An entry begins two blanks from the left; its words go on at the column of the help.
    init(_ text: String) {
        var name: String?
        for line in text.split(separator: "\n") {
            if line.hasPrefix("  "), !line.hasPrefix("   ") {
                let words = String(line.dropFirst(2))
                let end = words.range(of: "  ")?.lowerBound ?? Self.end(of: words)
                let head = String(words[..<end])
                name = Self.names(head)
                entries[name ?? "", default: ""] += " " + words[end...]
            } else if line.hasPrefix(String(repeating: " ", count: 20)), let name {
                entries[name, default: ""] += " " + line
            } else {
                name = nil
            }
        }
        entries = entries.mapValues {
            $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    /// A head that fills its column is followed by one blank.
    private static func end(of words: String) -> String.Index {
        words.range(of: "> ")?.lowerBound ?? words.endIndex
    }

    /// `--steps` for `--steps <n>`.
    private static func names(_ head: String) -> String {
        String(head.prefix { $0 != "<" }).trimmingCharacters(in: .whitespaces)
    }

    /// The default that an entry states.
    static func standard(_ entry: String) -> String? {
        entry.firstMatch(of: /\(default: .*\)/).map { String($0.output) }
    }
}

@Suite("Pages of help")
struct HelpPagesTests {
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    static let catalogue = tests.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources/dtrain/dtrain.docc")

    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
    }

    private func help(_ arguments: [String]) throws -> String {
        let outcome = try program.run(
            arguments, in: folder.url, environment: ["COLUMNS": "100"])
        #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
        return outcome.output
    }

    /// Options of the first version whose default is said otherwise now.
    static let changed: Set<String> = ["--vocabulary", "--run"]

    @Test(
        arguments: [
            "", "train", "coordinator", "worker", "translate", "generate", "evaluate", "score",
            "export", "import", "inspect", "status", "doctor", "token", "token show",
            "token rotate", "verify", "diff",
            "simulate", "plan", "bench", "bench step", "bench all-reduce", "bench kernels",
            "bench events", "bench translate", "page", "watch", "plot", "trace",
        ])
    func `explain every option and default that they explained at first`(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let file = words.isEmpty ? "dtrain" : words.joined(separator: "-")
        let kept = try String(
            contentsOf: Self.tests.appendingPathComponent("Help/\(file).txt"), encoding: .utf8)
        let (before, now) = (Help(kept), Help(try help(words + ["--help"])))
        #expect(!before.entries.isEmpty)
        // The examples of all commands together are indented like its subcommands.
        let entries = before.entries.filter { !$0.key.contains(" ") || $0.key.hasPrefix("-") }
        for (name, entry) in entries {
            guard let current = now.entries[name], !current.isEmpty else {
                Issue.record("nothing is said of \(name)")
                continue
            }
            guard !Self.changed.contains(name) else { continue }
            #expect(
                Help.standard(entry) == nil || Help.standard(current) == Help.standard(entry),
                "\(name): \(current)")
        }
    }

    @Test(arguments: [("settings", "Settings.md"), ("exit-codes", "ExitCodes.md")])
    func `are those of the documentation`(topic: String, page: String) throws {
        let kept = try String(
            contentsOf: Self.catalogue.appendingPathComponent(page), encoding: .utf8)
        #expect(
            try help(["help", topic, "--markdown"]) == kept,
            "dtrain help \(topic) --markdown > Sources/dtrain/dtrain.docc/\(page)")
        #expect(try help(["help", topic]).split(separator: "\n").count > 10)
    }

    @Test func `name the values of a choice in the completions of shells`() throws {
        for (shell, words) in [("bash", "'shared'"), ("zsh", "shared"), ("fish", "shared")] {
            let script = try help(["--generate-completion-script", shell])
            #expect(script.contains(words) && script.contains("position-encoding"), "\(shell)")
        }
    }

    @Test(arguments: [
        ("train --activation", "swiglu"), ("train --precision", "bf16"),
        ("score --tokenize", "13a"),
        ("evaluate --metrics", "chrf++"), ("evaluate --too-long", "stop"),
        ("worker --kernel", "avx2"),
        ("bench step --preset", "small"), ("", "evaluate"),
    ])
    func `let bash complete the choices of an option`(line: String, word: String) throws {
        let script = """
            dtrain() { '\(program.executable.path)' "$@"; }
            eval "$(dtrain --generate-completion-script bash)"
            COMP_WORDS=(dtrain "$@" "") COMP_CWORD=$(($# + 1)) COMP_LINE="dtrain $* "
            COMP_POINT=${#COMP_LINE}
            $(complete -p dtrain | sed 's/.*-F \\([^ ]*\\).*/\\1/') dtrain "" "${@: -1}"
            echo " ${COMPREPLY[*]} "
            """
        try folder.write(script, to: "complete")
        let outcome = try program.type("bash complete \(line)", in: folder.url)
        #expect(outcome.output.contains(" \(word) "), "\(outcome.output)\(outcome.errors)")
    }

    @Test func `make a manual page that obeys no text`() throws {
        let page = try help(["help", "manual"])
        let lines = page.split(separator: "\n").map(String.init)
        let macros: Set = [
            ".TH", ".SH", ".SS", ".B", ".I", ".BR", ".RI", ".PP", ".TP", ".nf", ".fi", ".br",
        ]
        for line in lines where line.hasPrefix(".") && !line.hasPrefix(".\\\"") {
            #expect(macros.contains(String(line.prefix { $0 != " " })), "\(line)")
        }
        #expect(lines.allSatisfy { !$0.hasPrefix("'") })
        for words in [
            ".TH DTRAIN 1", ".SS dtrain train\n", ".SS dtrain bench step\n",
            "\\fB\\-\\-activation\\fR", ".SH EXIT STATUS\n",
        ] {
            #expect(page.contains(words), "\(words)")
        }
        expectRefusal(
            try program.run(["help", "manual", "--markdown"], in: folder.url), code: 64,
            words: ["takes nothing more"])
    }
}
