import CXXHash

/// The saved hashes by which a run knows its text again, a few bytes a block of samples.
package struct TextFingerprint: Codable, Equatable, Sendable {
    /// One file, or two that belong together.
    package struct Part: Codable, Equatable, Sendable {
        /// The names of the files, for people: the same text may lie elsewhere.
        package let files: [String]
        /// The number of pairs, or of passages.
        package let samples: Int
        /// The number of samples of each block but the last.
        package let samplesOfBlock: Int
        /// XXH3-64 of each block, 16 hexadecimal digits each; of sources and of targets, or of passages.
        package let blocks: [String]
    }

    /// The rules by which the text became samples.
    package let rules: TextRules
    /// The hashes of the text, and of a validation file if there is one.
    package let parts: [Part]

    /// Makes a fingerprint of its parts: the text first.
    package init(rules: TextRules, parts: [Part]) {
        self.rules = rules
        self.parts = parts
    }
}

/// A difference between a text and the one that a run began with.
package struct TextDifference: Sendable, Hashable {
    /// The kind of the difference, with lines counted from 1.
    package enum Kind: Sendable, Hashable {
        /// Something between these lines.
        case changed(lines: ClosedRange<Int>)
        /// The lines up to this one are as they were; nothing follows where something did.
        case cutAfter(line: Int)
        /// The lines up to this one are as they were; something follows where nothing did.
        case addedAfter(line: Int)
        /// There is a validation file where there was none, or none where there was one.
        case validation
    }

    /// The file of the text that differs.
    package let file: String
    /// The kind of the difference, and its lines.
    package let kind: Kind
    /// The number of pairs or passages that the run began with.
    package let samplesBefore: Int
    /// The number of pairs or passages now.
    package let samples: Int
    /// The unit of both numbers.
    package let unit: CorpusSummary.Unit
}

/// The hashes of a text that was read, finer than is saved: one of every few samples.
///
/// The samples are hashed as a tokenizer sees them. So another way to write the same (line ends,
/// decomposed accents, white space) makes no other text.
package struct TextTrace: Sendable {
    /// The rules by which the text became samples.
    package let rules: TextRules
    /// The hashes of the text, and of a validation file if there is one.
    package private(set) var parts: [Part]

    init(rules: TextRules, _ part: Part) {
        self.rules = rules
        parts = [part]
    }

    mutating func add(_ part: Part) { parts.append(part) }

    /// The hashes to save: at most 1024 blocks a file.
    package var fingerprint: TextFingerprint {
        TextFingerprint(rules: rules, parts: parts.map(\.saved))
    }

    /// Returns the first difference from the text that `saved` is of; nil if there is none.
    package func difference(from saved: TextFingerprint) -> TextDifference? {
        for (part, before) in zip(parts, saved.parts) {
            if let difference = part.difference(from: before) { return difference }
        }
        guard parts.count == saved.parts.count else {
            let file = (parts.count > 1 ? parts[1].files : saved.parts.last?.files)?.first ?? ""
            return TextDifference(
                file: file, kind: .validation,
                samplesBefore: saved.parts.count > 1 ? saved.parts[1].samples : 0,
                samples: parts.count > 1 ? parts[1].samples : 0, unit: parts[0].unit)
        }
        return nil
    }
}

extension TextTrace {
    /// The hashes of one file, or of two that belong together.
    package struct Part: Sendable {
        /// The names of the files: that of the source first.
        package let files: [String]
        /// The number of pairs or passages so far.
        package private(set) var samples = 0
        private let samplesOfGroup: Int
        /// XXH3-64 of each group of samples; for each side.
        private var groups: [[UInt64]] = [[], []]
        /// The line of each group's first sample.
        private var lines: [Int32] = []
        private var lastLine = 0
        private var open: [[UInt8]] = [[], []]

        /// The most blocks that are saved.
        private static let mostBlocks = 1024

        init(files: [String], samplesOfGroup: Int) {
            self.files = files
            self.samplesOfGroup = samplesOfGroup
        }

        var unit: CorpusSummary.Unit { samplesOfGroup == 1 ? .passages : .pairs }

        /// Takes one more sample, as a tokenizer sees it: source and target, or a passage.
        mutating func add(_ sides: [String], line: Int) {
            if samples % samplesOfGroup == 0 {
                close()
                lines.append(Int32(clamping: line))
            }
            samples += 1
            lastLine = line
            for (side, text) in sides.enumerated() {
                open[side].append(contentsOf: text.utf8)
                // No text holds a NUL.
                open[side].append(0)
            }
        }

        /// Ends a group that is open.
        mutating func close() {
            for side in open.indices where !open[side].isEmpty {
                groups[side].append(Self.hash(open[side]))
                open[side].removeAll(keepingCapacity: true)
            }
        }

        private static func hash(_ bytes: [UInt8]) -> UInt64 {
            bytes.withUnsafeBytes { dtrain_xxh3_64($0.baseAddress, $0.count, 0) }
        }

        var saved: TextFingerprint.Part {
            var groupsOfBlock = 1
            while (lines.count + groupsOfBlock - 1) / groupsOfBlock > Self.mostBlocks {
                groupsOfBlock *= 2
            }
            let sides = groups.filter { !$0.isEmpty }
            return TextFingerprint.Part(
                files: files, samples: samples, samplesOfBlock: groupsOfBlock * samplesOfGroup,
                blocks: sides.map { side in
                    Self.blocks(side, groupsOfBlock).map(hexadecimal).joined()
                })
        }

        private static func blocks(_ groups: [UInt64], _ groupsOfBlock: Int) -> [UInt64] {
            stride(from: 0, to: groups.count, by: groupsOfBlock).map { start in
                let block = groups[start..<min(start + groupsOfBlock, groups.count)]
                return block.map(\.littleEndian).withUnsafeBytes {
                    dtrain_xxh3_64($0.baseAddress, $0.count, 0)
                }
            }
        }

        func difference(from before: TextFingerprint.Part) -> TextDifference? {
            let groupsOfBlock = max(1, before.samplesOfBlock / samplesOfGroup)
            for side in groups.indices {
                let ours = Self.blocks(groups[side], groupsOfBlock)
                let theirs = before.blocks.indices.contains(side) ? before.blocks[side] : ""
                guard ours.map(hexadecimal).joined() != theirs else { continue }
                let known = theirs.count / 16
                let same = zip(ours.map(hexadecimal), pieces(theirs)).prefix { $0 == $1 }.count
                return TextDifference(
                    file: files.indices.contains(side) ? files[side] : files.first ?? "",
                    kind: kind(same, ours.count, known, groupsOfBlock, before),
                    samplesBefore: before.samples, samples: samples, unit: unit)
            }
            return nil
        }

        /// Returns the kind of a difference behind so many blocks that are the same.
        private func kind(
            _ same: Int, _ ours: Int, _ known: Int, _ groupsOfBlock: Int,
            _ before: TextFingerprint.Part
        ) -> TextDifference.Kind {
            // Whole blocks agree, and then one of both ends.
            if same == ours && samples % before.samplesOfBlock == 0 {
                return .cutAfter(line: lastLine)
            }
            let first = Int(lines[min(same * groupsOfBlock, lines.count - 1)])
            if same == known && before.samples % before.samplesOfBlock == 0 {
                return .addedAfter(line: first - 1)
            }
            let next = (same + 1) * groupsOfBlock
            let last = next < lines.count ? Int(lines[next]) - 1 : lastLine
            return .changed(lines: first...max(first, last))
        }
    }
}

private func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

private func pieces(_ text: String) -> [String] {
    let digits = Array(text.utf8)
    return stride(from: 0, to: digits.count, by: 16).map {
        String(decoding: digits[$0..<min($0 + 16, digits.count)], as: UTF8.self)
    }
}
