import Checkpoint
import Foundation
import Messaging
import Preparation
import Settings

/// The keys of a run: made once, kept in its folder with mode 0600.
package struct RunKeys: Sendable {
    /// The coordinator's own.
    package let coordinator: KeyPair
    package let token: Token
    /// What the run's folder lacked, so that this is new.
    package let repairs: [Repair]

    init(coordinator: KeyPair, token: Token, repairs: [Repair] = []) {
        self.coordinator = coordinator
        self.token = token
        self.repairs = repairs
    }

    /// Keys that are kept nowhere, for a run without a folder.
    package static func passing() throws(MessagingError) -> RunKeys {
        try RunKeys(coordinator: KeyPair.random())
    }

    private init(coordinator: KeyPair, repairs: [Repair] = []) throws(MessagingError) {
        self.init(
            coordinator: coordinator,
            token: Token(coordinator: coordinator.publicKey, workers: try KeyPair.random()),
            repairs: repairs)
    }

    /// The keys of the run in a folder; those that it lacks, or that are damaged, are new, and not
    /// saved yet.
    ///
    /// `isResumed`: the run is expected to have some.
    /// Throws: `CheckpointError`, `TokenError.newer`, `noKey`, `MessagingError`.
    package static func ofRun(in folder: String, isResumed: Bool = false) throws -> RunKeys {
        let paths = RunPaths(folder)
        guard let coordinator = try coordinatorKey(paths) else {
            let isRenewed = isResumed || isFile(paths.token)
            return try RunKeys(
                coordinator: KeyPair.random(), repairs: isRenewed ? [.keyRenewed] : [])
        }
        var fault = FileFault.missing
        if isFile(paths.token) {
            let text = try PrivateFile.read(paths.token)
            do {
                let token = try Token(text)
                if token.coordinator == coordinator.publicKey {
                    return RunKeys(coordinator: coordinator, token: token)
                }
                return try RunKeys(coordinator: coordinator, repairs: [.keyRenewed])
            } catch let error as TokenError {
                if case .newer = error { throw error }
                fault = text.isEmpty ? .empty : .torn
            }
        }
        return try RunKeys(coordinator: coordinator, repairs: [.tokenRenewed(why: fault)])
    }

    /// The same coordinator with another token, for workers to come.
    package func renewed() throws -> RunKeys { try RunKeys(coordinator: coordinator) }

    /// Keeps them in the run's folder, where nobody else can read them.
    package func save(in paths: RunPaths) throws {
        if try Self.coordinatorKey(paths) != coordinator {
            try PrivateFile.write(
                coordinator.secret.map { Self.hexadecimal($0) }.joined(), to: paths.coordinatorKey)
        }
        if (try? Access.tokenFile(paths.token).token()) != token {
            try PrivateFile.write(token.text, to: paths.token)
        }
    }

    private static func coordinatorKey(_ paths: RunPaths) throws -> KeyPair? {
        guard isFile(paths.coordinatorKey) else { return nil }
        // A secret half is written like a public one.
        guard
            let bytes = PublicKey(hexadecimal: try PrivateFile.read(paths.coordinatorKey))?.bytes,
            let pair = try KeyPair(secret: bytes)
        else { throw TokenError.noKey(path: paths.coordinatorKey) }
        return pair
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    private static func isFile(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }
}

/// How somebody who connects to a coordinator is let in.
package enum Access: Sendable {
    /// All is plain text, and nobody is asked for anything.
    case plain
    case token(Token)
    /// The file is read anew whenever the coordinator does not take what it held.
    case tokenFile(String)

    /// The environment variable that holds a token.
    package static let variable = "DTRAIN_TOKEN"

    /// The token; nil for plain text. Throws: `CheckpointError`, `TokenError`.
    package func token() throws -> Token? {
        switch self {
        case .plain: nil
        case .token(let token): token
        case .tokenFile(let path): try Token(PrivateFile.read(path))
        }
    }

    package var isPlain: Bool { if case .plain = self { true } else { false } }

    /// What whoever has access to a run's folder uses.
    package static func ofRun(in folder: String) throws -> Access {
        let folder = RunLocation(folder: folder, resume: true).folder
        if (try? SavedSettings(of: folder))?.configuration.cluster.insecure == true {
            return .plain
        }
        let path = RunPaths(folder).token
        guard PathContent(at: path) != .nothing, PathContent(at: folder) == .folder else {
            throw TokenError.noKeys(folder: folder)
        }
        return .tokenFile(path)
    }
}
