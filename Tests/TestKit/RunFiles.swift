import Checkpoint
import Foundation

/// What a run has left in its folder.
package struct RunFiles: Sendable {
    package let folder: String

    package init(folder: String) { self.folder = folder }

    package func path(_ name: String) -> String { folder + "/" + name }

    /// The lines of the ledger, each with its checksum verified; throws at the first that is not
    /// what it should be.
    package var ledger: [LedgerEntry] {
        get throws {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path("ledger.jsonl"))))
            return try bytes.split(separator: UInt8(ascii: "\n")).map {
                try LedgerEntry.decode(Array($0)).get()
            }
        }
    }

    /// Steps of the checkpoints, ascending.
    package var checkpoints: [Int] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: path("checkpoints"))
                .compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }.sorted()
        }
    }

    package func checkpoint(_ step: Int) -> String {
        path("checkpoints/step-" + String(String(1_000_000 + step).dropFirst()))
    }

    /// Every file of the folder by its path within.
    package var snapshot: [String: Data] {
        get throws {
            var files: [String: Data] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                // A folder has no contents.
                files[name] = FileManager.default.contents(atPath: path(name))
            }
            return files
        }
    }

    /// Writes the files of a snapshot, readable by their owner alone: some hold secrets.
    package func restore(_ files: [String: Data]) throws {
        for (name, bytes) in files {
            let url = URL(fileURLWithPath: path(name))
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try bytes.write(to: url)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600], ofItemAtPath: url.path)
        }
    }
}
