import Foundation
import Model
import Scoring
import Testing

@testable import Inference
@testable import Words

@Suite("Reports")
struct ReportTests {
    static let hostile = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)",
        "</title></style></svg><iframe src=//evil.example>", "<!-- --> ]]> &lt;b&gt; &#x3C;i>",
        "\u{202E}txt.exe\u{2066}\u{2069}\u{202C}", "\u{1B}[2J\u{7}\u{0}\u{85}\u{2028}",
        "javascript:alert(1) http://evil.example www.evil.example a@evil.example",
        "| a | b |\n---\n# title [x](javascript:1) ![i](//e) `code` *b* _i_ ~~s~~ \\| $x$",
        "{{7*7}} ${7*7} <%= 1 %> \u{FEFF}\u{FFFE}\u{E0041}", "שלום عالم e\u{301} 👩‍👩‍👧", "",
    ]

    /// A report in which `text` stands wherever a corpus, a name or a tokenizer has a say.
    static func report(of text: String, lines count: Int = 3, script: Script = .other) -> Report {
        let outputs = [String](repeating: "the same five words here", count: count)
        let measurements: [Scoring.Measurement] = [
            Scoring.Measurement(
                outputs, against: [outputs], baseline: outputs, by: BLEU(),
                resampling: Resampling(resamples: 10)),
            Scoring.Measurement(
                outputs, against: [outputs], baseline: outputs, by: ChrF(),
                resampling: Resampling(resamples: 10)),
        ].compactMap { $0 }
        let lines = (0..<count).map { index in
            EvaluatedLine(
                number: index + 1, source: text,
                translation: Translation(text: text, score: -1, logProbability: -2, tokens: 6),
                references: [text, text],
                loss: ShardLoss(smoothed: 3, negativeLogLikelihood: 3, labels: 5 + index),
                scores: measurements.map { $0.scoresOfLines()[index] }, rank: Double(index) * 40)
        }
        let view = AttentionView(
            rows: [text, "⟨end⟩"], columns: [text],
            layers: [.init(name: text, heads: [[[0.25], [0.75]]])])
        return Report(
            facts: [("model", text)], name: text, loss: 1, perplexity: 2.7,
            measurements: measurements, rival: text, notes: [text], lines: lines, worst: 1,
            script: script, attention: [.init(source: text, view: view)])
    }

    /// Markdown without what a backslash takes its meaning from.
    static func bare(_ text: String) -> String {
        text.replacing(/\\./.matchingSemantics(.unicodeScalar), with: "")
    }

    /// All that stands between < and > of a page, in order.
    static func tags(_ html: String) -> [Substring] {
        html.matches(of: /<[^>]*>/.matchingSemantics(.unicodeScalar)).map(\.output)
    }

    /// The tags but for texts in their attributes.
    static func shape(_ html: String) -> [String] {
        tags(html).map { tag in
            String(tag).replacing(/"[^"]*"/.matchingSemantics(.unicodeScalar), with: "\"\"")
                .replacing("\n", with: " ")
        }
    }

    @Test(arguments: hostile)
    func `a text changes no tag of a page, whatever it holds`(text: String) throws {
        let page = Self.report(of: text).html
        #expect(page.contains("</html>") && !page.lowercased().contains("<script"))
        let expected = Self.shape(Self.report(of: "plain").html)
        // Where there is nothing, the page says so: a tag of its own.
        let shape = Self.shape(page).filter { !text.isEmpty || !$0.hasPrefix("<span class") }
        if text.isEmpty {
            #expect(!shape.isEmpty)
        } else {
            #expect(shape == expected)
        }
        for scalar in page.unicodeScalars {
            let isObeyed =
                scalar.value < 0x20 && scalar != "\n" && scalar != "\t"
                || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value)
            #expect(!isObeyed, "U+\(String(scalar.value, radix: 16))")
        }
    }

    @Test func `three thousand random texts stay texts`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = PCG64(seed: seed)
        let pieces =
            Array("<>&\"'`=/\\ \n\t-!|*_[](){}#;:").map(String.init) + [
                "script", "svg", "onload", "style", "&lt;", "\u{0}", "\u{202E}", "\u{2029}", "é",
                "中",
                "\u{301}", "👩", "--", "]]>", "http://",
            ]
        // Scalars, as a browser reads them: an accent may follow the end of an entity.
        let tag = /<|>|"|'|&(?!(amp|lt|gt|quot|#39);)/.matchingSemantics(.unicodeScalar)
        let markup = /[|`\[\]*_<\n]/.matchingSemantics(.unicodeScalar)
        for _ in 0..<3_000 {
            let text = (0..<generator.next(below: 20) + 1).map { _ in
                pieces[generator.next(below: pieces.count)]
            }.joined()
            let page: HTML = "\(text)"
            let isText = page.source.firstMatch(of: tag) == nil
            #expect(isText, "seed \(seed): \(text.debugDescription)")
            let isPlain = Self.bare(Markdown.escaped(text)).firstMatch(of: markup) == nil
            #expect(isPlain, "seed \(seed): \(text.debugDescription)")
        }
    }

    @Test func `a page loads nothing, runs nothing, and its policy says so`() throws {
        let page = Self.report(of: "a text").html
        let names = Set(
            Self.tags(page).compactMap { $0.firstMatch(of: /^<\/?([a-z0-9]+)/)?.output.1 })
        let foreign: Set<Substring> = [
            "script", "link", "img", "iframe", "object", "embed", "form", "base", "audio", "video",
            "image", "use", "foreignobject", "a",
        ]
        #expect(names.isDisjoint(with: foreign) && names.count > 20, "\(names)")
        #expect(
            Self.tags(page).allSatisfy { $0.firstMatch(of: /\s(on\w+|style|src|href)=/) == nil })
        let style = try #require(page.firstMatch(of: /<style>([^<]*)<\/style>/)?.output.1)
        #expect(!style.contains("url(") && !style.contains("@import"))
        let policy = try #require(
            page.firstMatch(of: /Content-Security-Policy" content="([^"]*)"/)?.output.1)
        #expect(policy.hasPrefix("default-src &#39;none&#39;; style-src &#39;sha256-"))
        #expect(!policy.contains("unsafe") && policy.contains("form-action &#39;none&#39;"))
        // The digest itself was taken by another program: openssl dgst -sha256 -binary | base64.
        let digest = try #require(policy.firstMatch(of: /sha256-([A-Za-z0-9+\/=]+)&/)?.output.1)
        #expect(Data(base64Encoded: String(digest))?.count == 32)
        #expect(page.contains("prefers-color-scheme:dark") && page.contains("@media print"))
    }

    @Test(arguments: hostile)
    func `Markdown has the same rows, whatever a text holds`(text: String) {
        func rows(_ text: String) -> [Int] {
            Self.report(of: text).markdown.split(separator: "\n", omittingEmptySubsequences: false)
                .map { line in Self.bare(String(line)).count { $0 == "|" } }
        }
        let page = Self.report(of: text).markdown
        #expect(rows(text) == rows("plain"))
        #expect(!page.contains("<") && !page.contains("\u{202E}") && !page.contains("\u{1B}"))
        #expect(!Self.bare(page).contains("](") && !page.contains("http://"))
    }

    @Test func `no sentence is shown twice, the worst come first`() {
        var report = Self.report(of: "a text", lines: 30)
        report.worst = 4
        let numbers = report.samples.flatMap { $0.lines.map(\.number) }
        #expect(Set(numbers).count == numbers.count && numbers.count == 14)
        #expect(report.samples.last?.lines.map(\.number) == [1, 2, 3, 4])
        #expect(report.samples.first?.lines.first?.number == 30)
        report.worst = 100
        #expect(report.samples.map(\.title) == ["Worst"])
        #expect(report.histogram.reduce(0, +) == 30)
    }

    @Test func `words without a counterpart are marked`() {
        let difference = WordDifference(
            "the big dog runs", "the dog runs fast", byCharacters: false)
        #expect(difference.first.map(\.text) == ["the", "big", "dog runs"])
        #expect(difference.first.map(\.isShared) == [true, false, true])
        #expect(difference.second.map(\.text) == ["the dog runs", "fast"])
        let characters = WordDifference("你好世界", "你们好", byCharacters: true)
        #expect(characters.first.map(\.text) == ["你好", "世界"])
        #expect(characters.second.map(\.isShared) == [true, false, true])
        #expect(WordDifference("", "", byCharacters: false).first.isEmpty)
    }

    @Test(arguments: [
        [1], [0], [3, 3, 3], Array(1...100), [Int](repeating: 2, count: 99) + [5000],
        Array(0...11), [7, 1, 4, 900, 30, 30, 31],
    ])
    func `every line is in one bucket, and in the right one`(lengths: [Int]) {
        let buckets = LengthBucket.buckets(of: lengths)
        #expect(buckets.flatMap(\.lines).sorted() == Array(lengths.indices) && buckets.count <= 8)
        for bucket in buckets {
            #expect(!bucket.lines.isEmpty)
            #expect(bucket.lines.allSatisfy { bucket.tokens.contains(lengths[$0]) })
        }
        #expect(
            zip(buckets, buckets.dropFirst()).allSatisfy {
                $0.tokens.upperBound < $1.tokens.lowerBound
            })
    }
}
