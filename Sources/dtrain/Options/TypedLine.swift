import ArgumentParser
import Foundation
import Settings

/// A command line before it is parsed: finds what the parser would blame on something else.
struct TypedLine {
    private let arguments: [String]
    /// The command that the first words name, and how many they are.
    private let command: any ParsableCommand.Type
    private let words: [String]

    /// Throws a usage failure for a word that names no command.
    init(_ arguments: [String]) throws(Failure) {
        self.arguments = arguments
        var rest = arguments[...]
        let helps = rest.first == "help"
        if helps { rest = rest.dropFirst() }
        var command: any ParsableCommand.Type = Dtrain.self
        var words: [String] = []
        while let word = rest.first, !word.hasPrefix("-") {
            let choices = command.configuration.subcommands
            guard !choices.isEmpty else { break }
            guard let next = choices.first(where: { $0.configuration.commandName == word }) else {
                throw Self.unknown(word, among: choices, words, helps: helps)
            }
            (command, rest) = (next, rest.dropFirst())
            words.append(word)
        }
        if command == Dtrain.self, !helps, let first = rest.first, !Self.standAlone(first) {
            let names = command.configuration.subcommands.compactMap {
                $0.configuration.commandName
            }
            let meant = rest.first { names.contains($0) } ?? "train"
            throw .usage(
                "\(first) stands before the command, write it behind, as in "
                    + "'dtrain \(meant) \(first)'")
        }
        self.command = command
        self.words = words
    }

    /// `dtrain train`: what `--help` may follow.
    var commandLine: String { (["dtrain"] + words).joined(separator: " ") }

    private static func standAlone(_ option: String) -> Bool {
        ["-h", "--help", "--version"].contains(option) || option.hasPrefix("--help-")
            || option.hasPrefix("--generate-") || option.hasPrefix("--experimental-")
    }

    private static func unknown(
        _ word: String, among choices: [any ParsableCommand.Type], _ words: [String], helps: Bool
    ) -> Failure {
        let shown = choices.filter { $0.configuration.shouldDisplay }
            .compactMap { $0.configuration.commandName }
        let topics = helps && words.isEmpty ? HelpTopic.allCases.map(\.rawValue) : []
        let path = (["dtrain"] + words).joined(separator: " ")
        let advice =
            Spelling.nearest(to: word.lowercased(), among: shown + topics).map {
                "did you mean '\(helps ? "dtrain help" : path) \($0)'?"
            } ?? "see 'dtrain help\(words.map { " \($0)" }.joined())'"
        return .usage("'\(word)' is no command of \(path): \(advice)")
    }

    // MARK: An option given twice

    /// Refuses an option that is given twice with different values, of which the parser would take the
    /// last without a word.
    func checkRepetition() throws(Failure) {
        let typed = arguments.dropFirst(words.count)
        let names = typed.filter { $0.hasPrefix("--") }.map(Self.base)
        // The usual line repeats nothing, and then nobody need know which options have values.
        guard Set(names).count < names.count else { return }
        let options = OptionNames(of: words)
        var values: [String: String] = [:]
        var rest = typed
        while let argument = rest.popFirst(), argument != "--" {
            guard argument.hasPrefix("--") else { continue }
            let name = String(argument.prefix { $0 != "=" })
            var value = String(argument.dropFirst(name.count + 1))
            if options.valued.contains(name), argument == name { value = rest.popFirst() ?? "" }
            let base = Self.base(name)
            let given = base == name || options.valued.contains(name) ? value : "no"
            guard let before = values.updateValue(given, forKey: base), before != given else {
                continue
            }
            throw .usage(
                options.valued.contains(name)
                    ? "\(name) is given twice, as '\(before)' and as '\(given)', leave one out"
                    : "\(base) and --no-\(base.dropFirst(2)) exclude each other, leave one out")
        }
    }

    /// `--balance` for `--no-balance`, too.
    private static func base(_ argument: String) -> String {
        let name = String(argument.prefix { $0 != "=" })
        return name.hasPrefix("--no-") ? "--" + name.dropFirst(5) : name
    }
}

/// Which options of a command take a value, as the parser itself tells it.
private struct OptionNames {
    let valued: Set<String>

    private struct Tool: Decodable { let command: Command }
    private struct Command: Decodable {
        let commandName: String
        let arguments: [Argument]?
        let subcommands: [Command]?
    }
    private struct Argument: Decodable {
        struct Name: Decodable { let name: String }
        let kind: String
        let names: [Name]?
    }

    init(of words: [String]) {
        let text = Data(Dtrain._dumpHelp().utf8)
        guard let tool = try? JSONDecoder().decode(Tool.self, from: text) else {
            preconditionFailure("the parser describes its commands in another way")
        }
        var command = tool.command
        for word in words {
            guard let next = command.subcommands?.first(where: { $0.commandName == word }) else {
                preconditionFailure("the parser has no command \(word)")
            }
            command = next
        }
        let options = (command.arguments ?? []).filter { $0.kind == "option" }
        valued = Set(options.flatMap { $0.names ?? [] }.map { "--" + $0.name })
    }
}
