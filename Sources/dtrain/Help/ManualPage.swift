import Foundation
import Words

/// The manual page, in the language of man(7): `dtrain help manual`, which `cluster/install` puts where
/// `man` looks. It is made of what the commands' help is made of.
enum ManualPage {
    static var text: String {
        let tool: Tool
        do {
            tool = try JSONDecoder().decode(Tool.self, from: Data(Dtrain._dumpHelp().utf8))
        } catch {
            preconditionFailure("the parser's description of the commands has changed: \(error)")
        }
        let root = tool.command
        let version = Dtrain.configuration.version.split(separator: "\n").first.map(String.init)
        let commands = root.subcommands ?? []
        return """
            .\\" Made by 'dtrain help manual'.
            .TH DTRAIN 1 "" \(quoted(version ?? "dtrain")) "User commands"
            .SH NAME
            dtrain \\- \(escaped(lowered(root.abstract ?? "")))
            .SH SYNOPSIS
            .B dtrain
            .I command
            .RI [ options ]
            .br
            .B dtrain help
            .I command
            .SH DESCRIPTION
            \(paragraphs(root.discussion ?? ""))
            .SH COMMANDS
            \(commands.filter(\.isShown).map { section($0, above: ["dtrain"]) }.joined())
            .SH EXIT STATUS
            \(exitCodes)
            .SH SEE ALSO
            .BR "dtrain help settings" ,
            .BR "dtrain help exit\\-codes" ,
            the pages in the folder
            .I Sources/dtrain/dtrain.docc
            of the sources

            """
    }

    private static func section(_ command: Command, above: [String]) -> String {
        let path = above + [command.commandName]
        let inner = (command.subcommands ?? []).filter(\.isShown)
        let arguments = (command.arguments ?? []).filter(\.isShown)
        let positional = arguments.filter { $0.kind == "positional" }
        let synopsis = positional.map { argument in
            let name =
                "\\fI\(escaped(argument.valueName ?? ""))\\fR\(argument.isRepeating ? "..." : "")"
            return argument.isOptional ? "[\(name)]" : name
        }
        var text = ".SS \(escaped(path.joined(separator: " ")))\n"
        text += "\\fB\(escaped(path.joined(separator: " ")))\\fR"
        text += (inner.isEmpty ? [" [\\fIoptions\\fR]"] : [" \\fIcommand\\fR"]).joined()
        text += synopsis.map { " " + $0 }.joined() + "\n"
        text += ".PP\n\(escaped(command.abstract ?? ""))\n"
        text += paragraphs(command.discussion ?? "", isFirst: false)
        var title: String?
        for argument in arguments {
            if argument.sectionTitle != title, let heading = argument.sectionTitle {
                text += ".PP\n\\fI\(escaped(heading))\\fR\n"
            }
            title = argument.sectionTitle
            text += entry(argument)
        }
        return text + inner.map { section($0, above: path) }.joined()
    }

    private static func entry(_ argument: Argument) -> String {
        let value = argument.valueName.map { " \\fI\(escaped($0))\\fR" } ?? ""
        let names = (argument.names ?? []).map {
            "\\fB\(escaped(($0.kind == "long" ? "--" : "-") + $0.name))\\fR"
        }
        let head: String =
            switch argument.kind {
            case "positional": "\\fI\(escaped(argument.valueName ?? ""))\\fR"
            case "flag": names.joined(separator: ", ")
            default: names.joined(separator: ", ") + value
            }
        var help = argument.abstract ?? ""
        if let standard = argument.defaultValue, !help.contains("(default:"),
            argument.kind != "flag"
        {
            help += " (default: \(standard))"
        }
        return ".TP\n\(head)\n\(escaped(help))\n"
    }

    private static var exitCodes: String {
        ExitCodesPage.causes.map { ".TP\n.B \($0.code)\n\(escaped($0.cause))\n" }.joined()
            .trimmingCharacters(in: .newlines)
    }

    /// Running text is filled; lines that begin with blanks stay as they are.
    private static func paragraphs(_ text: String, isFirst: Bool = true) -> String {
        var lines: [String] = []
        var isKept = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let begins = line.hasPrefix("  ")
            if begins != isKept {
                lines.append(begins ? ".PP\n.nf" : ".fi")
                isKept = begins
            }
            if line.allSatisfy(\.isWhitespace) {
                lines.append(".PP")
            } else if !begins, line.allSatisfy({ $0.isUppercase || $0 == " " }) {
                lines.append("\\fB\(line)\\fR")
            } else {
                lines.append(escaped(String(line)))
            }
        }
        if isKept { lines.append(".fi") }
        if text.isEmpty { return "" }
        if !isFirst { lines.insert(".PP", at: 0) }
        return lines.joined(separator: "\n") + (isFirst ? "" : "\n")
    }

    private static func lowered(_ sentence: String) -> String {
        let rest = sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
        return rest.prefix(1).lowercased() + rest.dropFirst()
    }

    private static func quoted(_ text: String) -> String {
        "\"\(escaped(text).replacing("\"", with: "\\(dq"))\""
    }

    /// Text in which troff finds nothing to obey.
    static func escaped(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            .replacing("`", with: "\\(ga").replacing("^", with: "\\(ha").replacing(
                "~", with: "\\(ti")
        return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
    }
}

/// What the parser says of itself, as far as a page needs it.
private struct Tool: Decodable {
    let command: Command
}

private struct Command: Decodable {
    let commandName: String
    let abstract, discussion: String?
    let shouldDisplay: Bool?
    let subcommands: [Command]?
    let arguments: [Argument]?

    var isShown: Bool { shouldDisplay != false && commandName != "help" }
}

private struct Argument: Decodable {
    struct Name: Decodable {
        let kind, name: String
    }

    let kind: String
    let shouldDisplay, isOptional, isRepeating: Bool
    let sectionTitle, valueName, defaultValue, abstract: String?
    let names: [Name]?

    /// What every command has is not said of each.
    var isShown: Bool {
        shouldDisplay && !(names ?? []).contains { ["help", "version"].contains($0.name) }
    }
}
