import ArgumentParser
import Foundation
import Settings
import Words

/// A command line before it is parsed: finds what the parser would blame on something else.
struct TypedLine {
    /// Those that name the command.
    private let words: [String]

    /// Throws a usage failure for a word that names no command.
    init(_ arguments: [String]) throws(Failure) {
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
            throw .usage(.beforeCommand(first, command: meant))
        }
        self.words = words
    }

    /// Refuses words that are not UTF-8: in a path, other bytes would lead to another file.
    static func requireText() throws(Failure) {
        for index in 0..<Int(CommandLine.argc) {
            guard let word = CommandLine.unsafeArgv[index] else { continue }
            let bytes = UnsafeRawBufferPointer(start: word, count: strlen(word))
            guard String(validating: bytes, as: UTF8.self) == nil else { continue }
            throw .usage(.notUTF8(String(decoding: bytes, as: UTF8.self)))
        }
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
        return .usage(.noCommand(word, of: path, advice: advice))
    }
}
