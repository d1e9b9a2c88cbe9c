import Checkpoint
import Foundation
import Testing

@Suite struct RunFolderTests {
    let folder = TemporaryFolder()
    var path: String { folder("runs/first") }

    @Test("a run is made once, then taken over, each time with a higher number")
    func incarnations() throws {
        do {
            let run = try RunFolder.create(path)
            #expect(run.incarnation == 1)
            #expect(
                folder.names("runs/first") == [
                    "checkpoints", "identity", "incarnation", "lock", "logs",
                ])
            try run.save(configuration: "steps: 5\n")
        }
        for incarnation: UInt32 in 2...4 {
            let run = try RunFolder.resume(path + "/")
            #expect(run.incarnation == incarnation)
            #expect(try run.paths.text(run.paths.configuration) == "steps: 5\n")
        }
        #expect(throws: CheckpointError.notEmpty(path: path)) { try RunFolder.create(path) }
    }

    @Test("a second coordinator is refused with the first one's process id")
    func locked() throws {
        let run = try RunFolder.create(path)
        let refusal = CheckpointError.locked(
            path: path, holder: ProcessInfo.processInfo.processIdentifier)
        #expect(throws: refusal) { try RunFolder.create(path) }
        try run.save(configuration: "")
        #expect(throws: refusal) { try RunFolder.create(path) }
        #expect(throws: refusal) { try RunFolder.resume(path) }
        #expect(run.incarnation == 1)
    }

    @Test("a folder that holds anything else is refused and left as it is")
    func notEmpty() throws {
        _ = folder.write("mine.txt", [1])
        #expect(throws: CheckpointError.notEmpty(path: folder.path)) {
            try RunFolder.create(folder.path)
        }
        #expect(folder.names() == ["mine.txt"])
        #expect(throws: CheckpointError.noRun(path: folder.path)) {
            try RunFolder.resume(folder.path)
        }
        #expect(throws: CheckpointError.noRun(path: path)) { try RunFolder.resume(path) }
        #expect(folder.names() == ["mine.txt"])
        #expect(
            throws: CheckpointError.io(path: folder("mine.txt"), operation: .list, code: ENOTDIR)
        ) {
            try RunFolder.create(folder("mine.txt"))
        }
    }

    @Test("a start that failed before its configuration does not spoil the folder")
    func earlyFailure() throws {
        #expect(try RunFolder.create(path).incarnation == 1)
        #expect(throws: CheckpointError.noRun(path: path)) { try RunFolder.resume(path) }
        #expect(try RunFolder.create(path).incarnation == 2)
    }

    @Test("a counter that is lost or no number stops the run before it speaks")
    func incarnationLost() throws {
        try RunFolder.create(path).save(configuration: "")
        let counter = RunPaths(path).incarnation
        for text in ["x\n", "", "-1\n", "4294967295\n"] {
            _ = folder.write("runs/first/incarnation", Array(text.utf8))
            #expect(throws: CheckpointError.incarnation(path: counter)) {
                try RunFolder.resume(path)
            }
        }
        try FileManager.default.removeItem(atPath: counter)
        #expect(throws: CheckpointError.incarnation(path: counter)) { try RunFolder.resume(path) }
    }

    @Test("taking over sweeps what dead writers left, and the address comes and goes")
    func takenOver() throws {
        try RunFolder.create(path).save(configuration: "")
        try SampleCheckpoint(step: 3).write(in: RunPaths(path).checkpoints)
        try folder.rename(
            "runs/first/checkpoints/step-000003", "runs/first/checkpoints/.step-000003.tmp-0")
        let run = try RunFolder.resume(path)
        #expect(folder.names("runs/first/checkpoints") == [])
        try run.save(address: "tcp://127.0.0.1:5555")
        try run.save(address: "tcp://127.0.0.1:6666")
        #expect(try run.paths.text(run.paths.address) == "tcp://127.0.0.1:6666\n")
        try run.removeAddress()
        try run.removeAddress()
        #expect(!folder.names("runs/first").contains("address"))
    }

    @Test("latest leads to the run that was linked last")
    func latest() throws {
        for name in ["first", "second"] {
            try RunFolder.create(folder("runs/" + name)).linkAsLatest()
            let target = try FileManager.default.destinationOfSymbolicLink(
                atPath: folder("runs/latest"))
            #expect(target == name)
        }
        #expect(folder.names("runs") == ["first", "latest", "second"])
    }

    @Test("a start stopped at any system call never draws the same number twice")
    func stoppedStart() throws {
        var (calls, seen) = (0, Set<UInt32>())
        while true {
            let operations = CrashingOperations(calls: calls)
            do {
                let run = try RunFolder.create(path, operations: operations)
                #expect(!seen.contains(run.incarnation))
                break
            } catch {
                #expect(operations.hasCrashed, "\(error)")
            }
            if calls % 2 == 0 {
                #expect(seen.insert(try RunFolder.create(path).incarnation).inserted)
            }
            calls += 1
        }
        #expect(seen.count > 3)
    }
}
