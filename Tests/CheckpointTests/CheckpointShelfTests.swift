import Checkpoint
import Testing

@Suite struct CheckpointShelfTests {
    @Test("an abandoned or released writer leaves nothing behind")
    func abandoned() throws {
        let folder = TemporaryFolder()
        try SampleCheckpoint(step: 1).writer(in: folder.path).abandon()
        _ = try SampleCheckpoint(step: 2).writer(in: folder.path)
        #expect(folder.names() == [])
        let writer = try SampleCheckpoint(step: 3).writer(in: folder.path)
        #expect(folder.names() == [".step-000003.tmp-0"])
        #expect(throws: CheckpointError.self) { try writer.commit() }
        writer.abandon()
        #expect(folder.names() == [])
    }

    @Test("a checkpoint of a step that is there already takes its place")
    func replaced() throws {
        let folder = TemporaryFolder()
        try SampleCheckpoint(step: 5).write(in: folder.path)
        let new = SampleCheckpoint(step: 5, version: 1)
        try new.expect(try new.write(in: folder.path))
        #expect(folder.names() == ["step-000005"])
    }

    @Test(
        "pruning keeps the newest, and never touches what is later than the one just committed",
        arguments: [
            (0, [1, 2, 3, 4, 9]), (1, [4, 9]), (2, [3, 4, 9]), (4, [1, 2, 3, 4, 9]),
            (9, [1, 2, 3, 4, 9]),
        ])
    func pruned(keep: Int, kept: [Int]) throws {
        let folder = TemporaryFolder()
        for step in [1, 2, 3, 4, 9] { try SampleCheckpoint(step: step).write(in: folder.path) }
        try CheckpointShelf(folder.path).prune(keep: keep, newest: 4)
        #expect(folder.names() == kept.map { "step-00000\($0)" })
    }

    @Test("a sweep removes what dead writers left and nothing else")
    func swept() throws {
        let folder = TemporaryFolder()
        let shelf = CheckpointShelf(folder.path)
        for step in [1, 2, 3, 1_234_567] { try SampleCheckpoint(step: step).write(in: folder.path) }
        let names = ["step-000001", "step-1234567", "mine", ".step-1", "step-0000012", "step-1"]
        try folder.rename("step-000002", ".step-000002.tmp-7")
        try folder.rename("step-000003", ".step-000003.retired")
        for name in names[2...] { _ = folder.write(name, []) }
        #expect(try shelf.candidates().map(\.step) == [1_234_567, 3, 1])
        try shelf.sweep()
        #expect(folder.names() == (names + ["step-000003"]).sorted())
        #expect(try shelf.candidates().map(\.step) == [1_234_567, 3, 1])
    }

    @Test("of a step's own folder and the retired one a whole one stays")
    func settled() throws {
        let folder = TemporaryFolder()
        let shelf = CheckpointShelf(folder.path)
        let (old, new) = (SampleCheckpoint(step: 3), SampleCheckpoint(step: 3, version: 1))
        for isDamaged in [false, true] {
            try old.write(in: folder.path)
            try folder.rename("step-000003", ".step-000003.retired")
            try new.write(in: folder.path)
            if isDamaged { _ = folder.write("step-000003/state.json", []) }
            for _ in 0..<2 {
                try (isDamaged ? old : new).expect(try #require(shelf.newestWhole().checkpoint))
                try shelf.sweep()
                #expect(folder.names() == ["step-000003"])
            }
        }
    }
}
