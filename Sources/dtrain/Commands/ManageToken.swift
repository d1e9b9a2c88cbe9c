import ArgumentParser
import Checkpoint
import Foundation
import Preparation
import Processes
import Settings
import Words

struct ManageToken: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Shows or changes what lets workers into a run.",
        discussion: """
            EXAMPLES
              dtrain token show
              dtrain token rotate --run runs/two
            """,
        subcommands: [ShowToken.self, RotateToken.self])
}

struct ShowToken: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Prints the run's token on a terminal, elsewhere the path of its file.",
        discussion: """
            EXAMPLE
              dtrain worker --connect \(Address.standard) --token-file "$(dtrain token show)"
            """)

    @Option(
        name: .customLong("run"), parsing: .unconditional,
        help: ArgumentHelp("Run folder.", valueName: "dir"))
    var folder = RunLocation.latest

    func run() throws {
        let folder = RunLocation(folder: try Failure.path("--run", folder), resume: true).folder
        let path = RunPaths(folder).token
        guard PathContent(at: folder) == .folder, PathContent(at: path) != .nothing else {
            throw TokenError.noKeys(folder: folder)
        }
        let token: Token?
        do {
            token = try Access.tokenFile(path).token()
        } catch let error as TokenError {
            throw Failure(error, in: path, of: folder)
        }
        // Journals and job logs keep what is printed.
        let isTerminal = isatty(STDOUT_FILENO) == 1
        try StandardOutput.write(product: (isTerminal ? token?.text ?? path : path) + "\n")
    }
}

struct RotateToken: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Gives the run another token; workers that are in get it, the old one ends.",
        discussion: """
            Makes the keys of a run that is still to begin, too: its folder may hold nothing else.

            EXAMPLE
              dtrain token rotate --run runs/two
            """)

    @Option(
        name: .customLong("run"), parsing: .unconditional,
        help: ArgumentHelp("Run folder.", valueName: "dir"))
    var folder = RunLocation.latest

    func run() throws {
        let (path, workers) = try Entry.rotateToken(of: folder)
        let reach = workers.map {
            "\($0) worker\($0 == 1 ? "" : "s") under way \($0 == 1 ? "has" : "have") it"
        }
        try StandardOutput.write(
            "\(path) holds another token: \(reach ?? "no coordinator is under way")\n")
    }
}

extension Entry {
    /// Writes another token into the run's folder; `workers` is how many were given it, nil where no
    /// coordinator is under way.
    static func rotateToken(of folder: String) throws -> (path: String, workers: Int?) {
        let given = RunLocation(folder: try Failure.path("--run", folder), resume: true)
        if case .unfit = given.content, let what = missing(given.given) {
            throw Failure.usage(.runNeedsFolder(what))
        }
        // A folder is made for a run that is still to begin, but none in the way of the link.
        guard !given.isNamedLatest || PathContent(at: given.given) == .folder else {
            throw TokenError.noKeys(folder: folder)
        }
        let paths = RunPaths(given.folder)
        let keys = try RunKeys.ofRun(in: paths.folder)
        try makeFolders(paths.folder)
        try keys.renewed().save(in: paths)
        guard let text = try RunLocation.address(of: paths.folder), let address = Address(text)
        else { return (shown(paths.token), nil) }
        do {
            let call = CoordinatorCall(address, .token(keys.token))
            return (shown(paths.token), try call.announceToken())
        } catch CoordinatorCall.Failure.noAnswer {
            return (shown(paths.token), nil)
        }
    }
}
