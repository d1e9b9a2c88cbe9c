import Foundation
import Testing
import Text

/// What a corpus must not be, each with the place that a user is told.
@Suite struct BadCorpusTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func fault(_ path: String) -> TextError? {
        do {
            _ = try Corpus(pairs: path)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a missing file, a folder and a path through a file are unreadable`() throws {
        let missing = folder.path("missing.tsv")
        #expect(fault(missing) == .unreadable(file: missing, code: ENOENT))
        #expect(fault(folder.url.path) == .unreadable(file: folder.url.path, code: EISDIR))
        let inner = try folder.write("one\tun\n") + "/inner"
        #expect(fault(inner) == .unreadable(file: inner, code: ENOTDIR))
    }

    @Test(arguments: [[], [0xEF, 0xBB, 0xBF]]) func `an empty file is refused`(
        _ bytes: [UInt8]
    ) throws {
        let path = try folder.write(bytes)
        #expect(fault(path) == .emptyFile(file: path))
        #expect(fault("/dev/null") == .emptyFile(file: "/dev/null"))
    }

    @Test(arguments: [("one", 0), ("one\tun\tuno", 2), ("\t\t", 2)])
    func `a line has exactly one tab`(_ line: String, _ found: Int) throws {
        let path = try folder.write("zero\tnul\n\(line)\ntwo\tdeux\n")
        #expect(fault(path) == .tabs(Place(file: path, line: 2), found: found))
    }

    @Test(
        arguments: [
            ([0x61, 0xFF], 1), ([0xC3, 0xA9, 0xC3], 2), ([0xED, 0xA0, 0x80], 0), ([0xC0, 0x80], 0),
            ([0xF5, 0x80, 0x80, 0x80], 0), ([0x61, 0x62, 0x80], 2),
        ] as [([UInt8], Int)])
    func `bytes that are not UTF-8 are refused`(_ bytes: [UInt8], _ offset: Int) throws {
        let path = try folder.write(Array("one\tun\n".utf8) + bytes + Array("\tx\n".utf8))
        guard case .invalidUTF8(let place, let found, _) = fault(path) else {
            Issue.record("\(bytes) are no fault")
            return
        }
        #expect(place == Place(file: path, line: 2) && found == offset)
    }

    @Test(arguments: [("\0one\tun", 0), ("one\tun\0", 6)])
    func `a line with a NUL is refused`(_ line: String, _ offset: Int) throws {
        let path = try folder.write("zero\tnul\n\(line)\n")
        #expect(fault(path) == .nulByte(Place(file: path, line: 2), offset: offset))
    }

    @Test(.timeLimit(.minutes(1))) func `a device that never ends is refused at its first NUL`() {
        #expect(fault("/dev/zero") != nil)
    }

    @Test func `a corpus that is dropped or held out as a whole is refused`() throws {
        let held = try #require((0..<100).map { "s\($0)" }.first { $0.fingerprint % 20 == 0 })
        let path = try folder.write("\(held)\tx\n \ty\n")
        var summary: CorpusSummary?
        if case .nothingToTrainOn(path, let found) = fault(path) { summary = found }
        #expect(summary?.lines.read == 2)
        #expect(summary?.heldOut == 1)
        #expect(summary?.lines.emptySource == 1)
    }
}
