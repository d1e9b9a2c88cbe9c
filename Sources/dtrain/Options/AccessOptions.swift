import ArgumentParser
import Foundation
import Processes
import Settings
import Words

/// How a command that connects to a coordinator is let in.
struct AccessOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The run's token. (default: \(Access.variable) in the environment)",
            valueName: "dtrain1-…"))
    var token: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "File that holds the run's token, such as RUN/token; waited for if it is not there yet.",
            valueName: "file"))
    var tokenFile: String?

    @Flag(help: "Neither encrypt nor show a token: the coordinator must run --insecure, too.")
    var insecure = false

    /// What was given. `run`: a folder in which a token may be found, if none was.
    ///
    /// Throws a usage failure.
    func access(run: String? = nil) throws(Failure) -> Access {
        hideToken()
        let given = [token != nil, tokenFile != nil, insecure].count { $0 }
        guard given <= 1 else {
            throw .usage(.giveOne(["--token", "--token-file", "--insecure"]))
        }
        do {
            if insecure { return .plain }
            if let token { return .token(try Token(token)) }
            if let tokenFile {
                return .tokenFile(try Failure.path("--token-file", tokenFile))
            }
            if let text = ProcessInfo.processInfo.environment[Access.variable] {
                return .token(try Token(text))
            }
            guard let run else { throw TokenError.missing }
            return try Access.ofRun(in: run)
        } catch TokenError.noKeys(let folder) {
            throw .usage(.noToken(folder: folder))
        } catch {
            throw Failure(thrown: error)
        }
    }

    /// The address that `--connect` gives. Throws a usage failure.
    func coordinator(_ text: String) throws(Failure) -> Address {
        guard let address = Address(text), address.port > 0 else {
            throw .usage(.takes("--connect", .address, not: text))
        }
        return address
    }

    /// Overwrites the token among this process's arguments, which everybody on the host may list.
    private func hideToken() {
        guard token != nil else { return }
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = CommandLine.unsafeArgv[index],
                let start = strstr(argument, Token.prefix)
            else { continue }
            let secret = start + Token.prefix.utf8.count
            memset(secret, 0x2A, strlen(secret))
        }
    }
}
