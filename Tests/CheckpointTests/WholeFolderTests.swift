import Checkpoint
import Foundation
import Testing

@Suite("A folder that is written as a whole")
struct WholeFolderTests {
    private func write(_ path: String, _ operations: any FileOperations) throws {
        let folder = try WholeFolder(path, operations: operations)
        for name in ["a", "b"] {
            let file = try folder.file(name)
            try Array(name.utf8).withUnsafeBytes { try file.append($0) }
            _ = try file.finish()
        }
        try folder.commit()
    }

    @Test(arguments: FailingDisk.Kind.allCases)
    func `is all there or not at all, whichever call fails`(kind: FailingDisk.Kind) throws {
        var calls = 0
        while true {
            let place = TemporaryFolder()
            let disk = FailingDisk(kind, after: calls)
            let path = place("deep/folder")
            do {
                try write(path, disk)
            } catch {
                try #require(disk.hasFailed, "\(error)")
            }
            let manager = FileManager.default
            if let names = try? manager.contentsOfDirectory(atPath: path) {
                #expect(names.sorted() == ["a", "b"], "\(kind) after \(calls) calls")
            }
            // Where the disk still removes, nothing is left beside it.
            if kind == .full || kind == .failingOnce {
                let left = (try? manager.contentsOfDirectory(atPath: place("deep"))) ?? []
                #expect(left == [] || left == ["folder"], "\(kind) after \(calls) calls: \(left)")
            }
            guard disk.hasFailed else { break }
            calls += 1
        }
        #expect(calls > 8)
    }

    @Test func `removes what a killed process of the same number has left`() throws {
        let place = TemporaryFolder()
        let left = place(".folder.\(getpid())")
        try FileManager.default.createDirectory(
            atPath: left + "/inner", withIntermediateDirectories: true)
        try write(place("folder"), SystemFileOperations())
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["folder"])
    }

    @Test func `is put where a link leads, and not where something is already`() throws {
        let place = TemporaryFolder()
        let manager = FileManager.default
        try manager.createDirectory(atPath: place("target"), withIntermediateDirectories: false)
        try manager.createSymbolicLink(atPath: place("link"), withDestinationPath: "target")
        try write(place("link"), SystemFileOperations())
        #expect(try manager.contentsOfDirectory(atPath: place("target")).sorted() == ["a", "b"])
        #expect(throws: CheckpointError.folderTaken(path: place("target"))) {
            try write(place("link"), SystemFileOperations())
        }
        #expect(try manager.contentsOfDirectory(atPath: place.path).sorted() == ["link", "target"])
    }
}
