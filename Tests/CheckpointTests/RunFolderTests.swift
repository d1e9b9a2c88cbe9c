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
            try run.save(configuration: "steps: 5\n", writer: "test")
        }
        for incarnation: UInt32 in 2...4 {
            let run = try RunFolder.resume(path + "/")
            #expect(run.incarnation == incarnation)
            let text = try run.paths.text(run.paths.configuration)
            #expect(text == SettingsFile.text("steps: 5\n", writer: "test"))
            #expect(try SettingsFile.read(run.paths.configuration).get().writer == "test")
        }
        #expect(throws: CheckpointError.notEmpty(path: path)) { try RunFolder.create(path) }
    }

    @Test("a second coordinator is refused with the first one's process id")
    func locked() throws {
        let run = try RunFolder.create(path)
        let refusal = CheckpointError.locked(
            path: path, holder: ProcessInfo.processInfo.processIdentifier)
        #expect(throws: refusal) { try RunFolder.create(path) }
        try run.save(configuration: "", writer: "test")
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

    @Test("a counter or identity that is lost gives the run another identity, and is said")
    func rankLost() throws {
        try RunFolder.create(path).save(configuration: "steps: 5\n", writer: "test")
        let paths = RunPaths(path)
        let lossy: [(file: String, text: String?, repair: Repair)] = [
            ("incarnation", "x\n", .incarnationLost(why: .torn)),
            ("incarnation", "", .incarnationLost(why: .empty)),
            ("incarnation", "1", .incarnationLost(why: .torn)),
            ("incarnation", nil, .incarnationLost(why: .missing)),
            ("identity", "12ab", .identityDrawn(why: .torn)),
            ("identity", nil, .identityDrawn(why: .missing)),
        ]
        for (file, text, repair) in lossy {
            #expect(try RunFolder.resume(path).repairs.isEmpty)
            try FileManager.default.removeItem(atPath: path + "/" + file)
            if let text { _ = folder.write("runs/first/" + file, Array(text.utf8)) }
            let after = try RunFolder.resume(path)
            #expect(after.repairs == [repair])
            #expect(try paths.text(paths.identity) == String(after.identity, radix: 16) + "\n")
        }
        _ = folder.write("runs/first/incarnation", Array("4294967295\n".utf8))
        #expect(throws: CheckpointError.incarnation(path: paths.incarnation)) {
            try RunFolder.resume(path)
        }
    }

    @Test("names that are taken get a number, also where many begin at once")
    func next() async throws {
        let names = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<8 {
                group.addTask { [folder] in
                    let run = try? RunFolder.createNext(to: folder("runs/now"))
                    try? run?.save(configuration: "steps: 5\n", writer: "test")
                    return run?.paths.folder
                }
            }
            return await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(
            names
                == Set(
                    ["", "-2", "-3", "-4", "-5", "-6", "-7", "-8"].map {
                        folder("runs/now") + $0
                    }))
    }

    @Test("taking over sweeps what dead writers left, and the address comes and goes")
    func takenOver() throws {
        try RunFolder.create(path).save(configuration: "", writer: "test")
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

    @Test("latest leads to the run that was linked last, and never to itself")
    func latest() throws {
        func target() throws -> String {
            try FileManager.default.destinationOfSymbolicLink(atPath: folder("runs/latest"))
        }
        for name in ["first", "second"] {
            let path = folder("runs/" + name)
            let run = try RunFolder.create(path)
            try run.save(configuration: "", writer: "test")
            try run.linkAsLatest(path: path)
            #expect(try target() == name)
        }
        #expect(folder.names("runs") == ["first", "latest", "second"])
        let resumed = try RunFolder.resume(folder("runs/latest"))
        #expect(resumed.paths.folder == folder("runs/second"))
        try resumed.linkAsLatest(path: folder("runs/latest"))
        #expect(try target() == "second")
        // As it was left by the version whose resume let it lead to itself.
        try FileManager.default.removeItem(atPath: folder("runs/latest"))
        try FileManager.default.createSymbolicLink(
            atPath: folder("runs/latest"), withDestinationPath: "latest")
        #expect(PathContent(at: folder("runs/latest")) == .loop)
        try resumed.linkAsLatest(path: folder("runs/second/"))
        #expect(try target() == "second")
    }

    @Test("latest lies beside the name that the user gives, and what is no link stays")
    func latestElsewhere() throws {
        let run = try RunFolder.create(folder("far/real"))
        for name in ["near", "taken/latest"] {
            try FileManager.default.createDirectory(
                atPath: folder(name), withIntermediateDirectories: true)
        }
        for (link, target) in [("near/mine", "../far/real"), ("taken/mine", "../far/real")] {
            try FileManager.default.createSymbolicLink(
                atPath: folder(link), withDestinationPath: target)
        }
        try run.linkAsLatest(path: folder("near/mine"))
        #expect(resolvedPath(folder("near/latest")) == folder("far/real"))
        #expect(folder.names("far") == ["real"])
        try run.linkAsLatest(path: folder("far/real/."))
        #expect(folder.names("far") == ["latest", "real"])
        #expect(throws: CheckpointError.latestTaken(path: folder("taken/latest"))) {
            try run.linkAsLatest(path: folder("taken/mine"))
        }
        #expect(folder.names("taken/latest") == [])
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
