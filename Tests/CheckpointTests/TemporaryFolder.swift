import Foundation
import Testing

/// A folder of one test's own, gone when released; in memory where there is such a place, for
/// synchronizing thousands of small files on a busy disk takes half a minute.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        let memory = "/dev/shm"
        let place =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory : FileManager.default.temporaryDirectory.path
        path = place + "/dtrain-files-" + UUID().uuidString
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    func write(_ name: String, _ bytes: [UInt8]) -> String {
        // ext4 flushes a file that is cut to nothing and written again; a new one it does not.
        _ = unlink(self(name))
        _ = FileManager.default.createFile(atPath: self(name), contents: Data(bytes))
        return self(name)
    }

    func read(_ name: String) -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: self(name)) ?? Data())
    }

    /// Writes zeros over a file's end, in place, as its other holders see it.
    func overwrite(_ name: String, from offset: Int) throws {
        let handle = try #require(FileHandle(forWritingAtPath: self(name)))
        let size = try handle.seekToEnd()
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data(count: Int(size) - offset))
        try handle.close()
    }

    func names(_ name: String = ".") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self(name))) ?? []).sorted()
    }
}

extension TemporaryFolder {
    func rename(_ name: String, _ other: String) throws {
        try FileManager.default.moveItem(atPath: self(name), toPath: self(other))
    }
}
