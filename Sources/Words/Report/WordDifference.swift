/// Which words of two texts have a counterpart in the other, in order: a longest common subsequence.
struct WordDifference {
    /// A stretch of text, and whether the other text has it.
    struct Stretch: Equatable {
        let text: String
        let isShared: Bool
    }

    let first: [Stretch]
    let second: [Stretch]

    /// Longer texts are shown without differences.
    private static let most = 400

    /// Words are what stands between blanks; of a script without blanks they are characters.
    init(_ first: String, _ second: String, byCharacters: Bool) {
        let mine = Self.words(first, byCharacters)
        let theirs = Self.words(second, byCharacters)
        guard mine.count <= Self.most, theirs.count <= Self.most else {
            self.first = [Stretch(text: first, isShared: true)]
            self.second = [Stretch(text: second, isShared: true)]
            return
        }
        // longest[i][j]: of what follows from i and j on.
        var longest = [[Int32]](
            repeating: [Int32](repeating: 0, count: theirs.count + 1), count: mine.count + 1)
        for i in mine.indices.reversed() {
            for j in theirs.indices.reversed() {
                longest[i][j] =
                    mine[i] == theirs[j]
                    ? longest[i + 1][j + 1] + 1 : max(longest[i + 1][j], longest[i][j + 1])
            }
        }
        var isShared = [Bool](repeating: false, count: mine.count)
        var isFound = [Bool](repeating: false, count: theirs.count)
        var (i, j) = (0, 0)
        while i < mine.count && j < theirs.count {
            if mine[i] == theirs[j] {
                isShared[i] = true
                isFound[j] = true
                (i, j) = (i + 1, j + 1)
            } else if longest[i + 1][j] >= longest[i][j + 1] {
                i += 1
            } else {
                j += 1
            }
        }
        let gap = byCharacters ? "" : " "
        self.first = Self.stretches(mine, isShared, gap)
        self.second = Self.stretches(theirs, isFound, gap)
    }

    private static func words(_ text: String, _ byCharacters: Bool) -> [String] {
        byCharacters
            ? text.map(String.init)
            : text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private static func stretches(
        _ words: [String], _ isShared: [Bool], _ gap: String
    ) -> [Stretch] {
        var stretches: [Stretch] = []
        var start = 0
        while start < words.count {
            var end = start
            while end < words.count && isShared[end] == isShared[start] { end += 1 }
            stretches.append(
                Stretch(
                    text: words[start..<end].joined(separator: gap), isShared: isShared[start]))
            start = end
        }
        return stretches
    }
}
