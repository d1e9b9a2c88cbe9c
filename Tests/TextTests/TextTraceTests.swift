import Foundation
import Testing
import Text

/// A run knows its text again, and where it is another.
@Suite("A text is known again")
struct TextTraceTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static func lines(_ count: Int) -> [String] { (1...count).map { "source \($0)\ttarget \($0)" } }

    private func trace(_ lines: [String], _ name: String = "a.tsv") throws -> TextTrace {
        try Corpus(.pairs(folder.write(lines.joined(separator: "\n") + "\n", to: name))).trace
    }

    /// What is done to a text of so many lines, and the lines between which it is to be named.
    struct Change: CustomTestStringConvertible, Sendable {
        let name: String
        let count: Int
        let change: @Sendable (inout [String]) -> Void
        let kind: TextDifference.Kind

        var testDescription: String { "\(name) of \(count) lines" }
    }

    static let changes: [Change] = [
        Change(
            name: "a source", count: 200, change: { $0[100] = "other\ttarget 101" },
            kind: .changed(lines: 97...112)),
        Change(
            name: "a target", count: 200, change: { $0[0] = "source 1\tother" },
            kind: .changed(lines: 1...16)),
        Change(
            name: "case", count: 200, change: { $0[199] = "Source 200\ttarget 200" },
            kind: .changed(lines: 193...200)),
        Change(
            name: "a line taken out", count: 200, change: { $0.remove(at: 50) },
            kind: .changed(lines: 49...64)),
        Change(
            name: "a line put in", count: 200, change: { $0.insert("a\tb", at: 50) },
            kind: .changed(lines: 49...64)),
        Change(
            name: "a line behind the last", count: 200, change: { $0.append("a\tb") },
            kind: .changed(lines: 193...201)),
        Change(
            name: "the last line taken out", count: 200, change: { $0.removeLast() },
            kind: .changed(lines: 193...199)),
        Change(
            name: "a whole group behind the last", count: 160, change: { $0.append("a\tb") },
            kind: .addedAfter(line: 160)),
        Change(
            name: "the last whole group taken out", count: 176, change: { $0.removeLast(16) },
            kind: .cutAfter(line: 160)),
        Change(
            name: "two lines swapped", count: 200, change: { $0.swapAt(3, 180) },
            kind: .changed(lines: 1...16)),
        Change(
            name: "all in another order", count: 200, change: { $0.reverse() },
            kind: .changed(lines: 1...16)),
        Change(
            name: "a line far down", count: 40_000, change: { $0[30_000] = "a\tb" },
            kind: .changed(lines: 29_953...30_016)),
    ]

    @Test(arguments: changes)
    func `another text is named with about the place`(_ row: Change) throws {
        let before = Self.lines(row.count)
        let saved = try trace(before).fingerprint
        var lines = before
        row.change(&lines)
        let difference = try #require(trace(lines, "b.tsv").difference(from: saved))
        #expect(difference.kind == row.kind)
        #expect(difference.file.hasSuffix("/b.tsv"))
        #expect(difference.samplesBefore == row.count && difference.samples == lines.count)
        #expect(try trace(before, "c.tsv").difference(from: saved) == nil)
    }

    @Test func `the same text written otherwise is the same`() throws {
        let lines = ["The garçon sleeps.\tLe garçon dort."] + Self.lines(40)
        let saved = try trace(lines).fingerprint
        let others: [[String]] = [
            lines.map { $0 + "\r" }, lines.map { " \($0)  " },
            lines.map { "\u{FEFF}\($0)\u{200B}" },
            lines.map(\.decomposedStringWithCanonicalMapping),
            ["", "\u{200B}"] + lines + ["\t", " \t"],
        ]
        for other in others { #expect(try trace(other, "b.tsv").difference(from: saved) == nil) }
        let sources = lines.map { $0.split(separator: "\t")[0] + "\n" }
        let targets = lines.map { $0.split(separator: "\t")[1] + "\n" }
        let files = try Corpus(
            source: folder.write(sources.joined(), to: "a.en"),
            target: folder.write(targets.joined(), to: "a.fr"))
        #expect(files.trace.difference(from: saved) == nil)
    }

    @Test func `the file of the side that differs is named`() throws {
        let source = try folder.write((1...40).map { "s \($0)\n" }.joined(), to: "a.en")
        let target = try folder.write((1...40).map { "t \($0)\n" }.joined(), to: "a.fr")
        let other = try folder.write(
            (1...40).map { "t \($0 == 20 ? 0 : $0)\n" }.joined(), to: "b.fr")
        let saved = try Corpus(source: source, target: target).trace.fingerprint
        let found = try #require(
            try Corpus(source: source, target: other).trace.difference(from: saved))
        #expect(found.file == other && found.kind == .changed(lines: 17...32))
    }

    @Test func `a validation file belongs to the text`() throws {
        let path = try folder.write(Self.lines(40).joined(separator: "\n"))
        let validation = try folder.write(Self.lines(20).joined(separator: "\n"), to: "v.tsv")
        let changed = try folder.write(Self.lines(21).joined(separator: "\n"), to: "w.tsv")
        func trace(_ validation: String?) throws -> TextTrace {
            try Corpus(.pairs(path), validation: validation).trace
        }
        let (with, without) = (try trace(validation), try trace(nil))
        #expect(with.difference(from: with.fingerprint) == nil)
        #expect(with.difference(from: without.fingerprint)?.kind == .validation)
        #expect(without.difference(from: with.fingerprint)?.kind == .validation)
        let found = try #require(try trace(changed).difference(from: with.fingerprint))
        #expect(found.file == changed && found.samples == 21 && found.samplesBefore == 20)
    }

    @Test func `running text is known by its passages`() throws {
        let lines = (1...400).map { $0.isMultiple(of: 7) ? "" : "line \($0)" }
        func trace(_ lines: [String]) throws -> TextTrace {
            try PlainText(folder.write(lines.joined(separator: "\n"), to: "a.txt")).trace
        }
        let saved = try trace(lines).fingerprint
        #expect(try trace(lines.map { $0 + " \r" }).difference(from: saved) == nil)
        var other = lines
        other[200] = "another"
        #expect(try trace(other).difference(from: saved)?.kind == .changed(lines: 197...203))
        // Where a text ends decides about an end mark.
        other = lines
        other.remove(at: 6)
        #expect(try trace(other).difference(from: saved)?.kind == .changed(lines: 1...13))
    }

    @Test func `what is saved is small and comes back as it was`() throws {
        let saved = try trace(Self.lines(40_000)).fingerprint
        let data = try JSONEncoder().encode(saved)
        #expect(data.count < 40_000)
        #expect(try JSONDecoder().decode(TextFingerprint.self, from: data) == saved)
        #expect(saved.rules == .current && saved.parts[0].samplesOfBlock == 64)
        // The bytes of a hash are fixed: folders outlive a version.
        let small = try trace(Self.lines(16)).fingerprint
        #expect(small.parts[0].blocks == ["72aee28170f7fe68", "e42a4f6bae395931"])
    }
}
