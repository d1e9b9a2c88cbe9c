import ArgumentParser
import Checkpoint
import Foundation
import Page
import Preparation
import Threads
import Words

struct ShowPage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "page",
        abstract: "Shows runs in a browser: how they stand, who does what, every series.",
        discussion: """
            Prints a link to a page on this machine, and serves it until Ctrl-C. The first run is \
            the one that the page is about, under way or not; others are drawn behind it in grey, \
            without any those beside it. 'train --page' starts the same by itself.

            EXAMPLES
              dtrain page runs/latest
              dtrain page runs/a runs/b --bind 127.0.0.1:8081
              ssh -L 8080:127.0.0.1:8080 node1      then open the link on this machine
            """)

    @Argument(help: "Run folders. (default: \(RunLocation.latest))")
    var runs: [String] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where the page listens; port 0 takes a free one.", valueName: "host:port"))
    var bind = "127.0.0.1:8080"

    @Flag(help: "Let a page that is plain text listen on a network.")
    var insecure = false

    @Option(help: .hidden)
    var parent: Int32?

    func run() throws {
        let address = try pageAddress("--bind", bind, isInsecure: insecure)
        let given = runs.isEmpty ? [RunLocation.latest] : runs
        var folders: [RunPaths] = []
        for text in given {
            let location = RunLocation(folder: try Failure.path("the folder", text), resume: true)
            guard location.content == .aRun || parent != nil else {
                throw Failure(CheckpointError.noRun(path: text))
            }
            folders.append(RunPaths(location.folder))
        }
        if folders.count == 1 { folders += Self.beside(folders[0]) }
        try Entry.page(folders, at: address, parent: parent)
    }

    /// The newest runs in the same folder, eight at most.
    private static func beside(_ paths: RunPaths) -> [RunPaths] {
        let parent = URL(filePath: paths.folder).deletingLastPathComponent().path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        let found = names.sorted().reversed().map { RunPaths("\(parent)/\($0)") }
            .filter { other in
                other != paths && resolvedPath(other.folder) == other.folder
                    && FileManager.default.fileExists(atPath: other.metrics)
            }
        return Array(found.prefix(8))
    }
}

/// `text` as an address of a page. Throws a usage failure, also for one that a network reaches unless
/// that is wanted.
func pageAddress(
    _ flag: String, _ text: String, isInsecure: Bool
) throws(Failure) -> PageAddress {
    guard let address = PageAddress(text) else {
        throw .usage(
            "\(flag) takes a port or a numeric address with a port, such as 127.0.0.1:8080, not "
                + "'\(text)'")
    }
    guard address.isLoopback || isInsecure else {
        throw .usage(
            "\(flag) \(text) would let a network read the page and its token as plain text: keep it "
                + "on 127.0.0.1 and reach it by 'ssh -L \(address.port):127.0.0.1:\(address.port) "
                + "HOST' or through a proxy with TLS, or give --insecure")
    }
    return address
}

extension Entry {
    /// - Parameter parent: the run's process, with which this one ends.
    static func page(_ runs: [RunPaths], at address: PageAddress, parent: Int32?) throws {
        if let parent { Endings.endWith(parent) }
        // Training comes first.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        let token = try PageToken(of: runs[0])
        let desk = PageDesk(runs, software: Dtrain.software)
        let server: PageServer
        do throws(PageServer.NotListening) {
            server = try PageServer(desk, at: address, token: token)
        } catch {
            throw Failure(error, at: address)
        }
        let ended = DispatchSemaphore(value: 0)
        let failure = SharedFailure()
        let task = Task {
            do {
                try await server.run { bound in
                    announce(bound, token, of: runs[0], parent: parent)
                }
            } catch {
                failure.set(Failure(pageServer: error, at: address))
            }
            ended.signal()
        }
        Thread.detachNewThread {
            desk.run(untilEnd: parent != nil)
            // Readers get the last messages.
            Thread.sleep(forTimeInterval: 0.5)
            task.cancel()
            ended.signal()
        }
        ended.wait()
        if parent != nil { try? FileManager.default.removeItem(atPath: runs[0].pageAddress) }
        if let failure = failure.value { throw failure }
    }

    /// Says where the page is: to the run that has started it by a file, otherwise by its link.
    private static func announce(
        _ address: PageAddress, _ token: PageToken, of paths: RunPaths, parent: Int32?
    ) {
        if parent != nil {
            try? WholeFile.write(address.link + "\n", to: paths.pageAddress)
            return
        }
        let link = pageLink(
            address.link, of: paths, token: isatty(STDOUT_FILENO) == 1 ? token.text : nil)
        try? StandardOutput.write("\(link)\n")
    }
}

/// The link of a page. Journals keep what is printed: a token is shown on a terminal alone.
func pageLink(_ link: String, of paths: RunPaths, token: String?) -> String {
    "\(link)#token=" + (token ?? "$(cat \(quoted(paths.pageToken)))")
}

/// What a task has failed with.
private final class SharedFailure: @unchecked Sendable {
    private let lock = NSLock()
    // Guarded by `lock`.
    private var failure: Failure?

    func set(_ failure: Failure) { lock.withLock { self.failure = failure } }
    var value: Failure? { lock.withLock { failure } }
}

extension Failure {
    fileprivate init(_ error: PageServer.NotListening, at address: PageAddress) {
        self.init(
            .unavailable,
            "the page cannot listen at \(address.host):\(address.port) (\(error.reason)): give "
                + "another address, or port 0 for a free one")
    }

    fileprivate init(pageServer error: any Error, at address: PageAddress) {
        if let error = error as? PageServer.NotListening {
            self.init(error, at: address)
        } else {
            self.init(.other, "the page cannot be served: \(error)")
        }
    }
}
