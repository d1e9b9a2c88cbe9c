import Foundation

/// A folder of a test's own, gone with it; in memory where there is such a place, for Foundation
/// waits for the disk with every file that it writes.
final class TemporaryFolder {
    let url: URL

    init() throws {
        let memory = "/dev/shm"
        let place =
            FileManager.default.isWritableFile(atPath: memory)
            ? URL(filePath: memory) : FileManager.default.temporaryDirectory
        url = place.appending(path: "dtrain-text-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }

    func write(_ text: String, to name: String = "pairs.tsv") throws -> String {
        try write(Array(text.utf8), to: name)
    }

    func write(_ bytes: [UInt8], to name: String = "pairs.tsv") throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }
}
