import Foundation
import Scoring
import Testing

/// What sacreBLEU 2.6.0 says of `Tests/Golden/scores.tsv`, written by `make_scores.py`.
struct Golden: Decodable {
    let edges: [[String]]
    let draws: [Draws]
    let scalars: [String: String]
    let lowercase: String
    let texts: [Text]

    struct Draws: Decodable {
        let limit: Int
        let draws: [Int]
    }

    struct Text: Decodable, CustomTestStringConvertible {
        let name: String
        let tok: String
        let bleu: [CorpusBLEU]
        let smoothed: [Smoothed]
        let metrics: [Row]
        let sentences: [String: String]
        var testDescription: String { name }
    }

    struct CorpusBLEU: Decodable {
        let tok: String
        let refs: Int
        let lowercase: Bool?
        let score: String
        let line: String
    }

    struct Smoothed: Decodable {
        let method: String
        let value: Double?
        let effective: Bool
        let start: Int
        let end: Int
        let score: String
        let line: String

        var smoothing: Smoothing {
            switch method {
            case "none": .none
            case "floor": .floor(value ?? 0.1)
            case "add-k": .addK(value ?? 1)
            default: .exponential
            }
        }
    }

    struct Row: Decodable {
        let metric: String
        let refs: Int
        let score: String
        let line: String
        let signature: String
        let mean: String
        let margin: String
        let confident: String
        let paired: Paired
    }

    struct Paired: Decodable {
        let mean: String
        let margin: String
        let baselineMean: String
        let baselineMargin: String
        let p: String
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Golden")

    static let stored = Result {
        try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder.appending(path: "scores.json")))
    }

    /// The planes that hold characters.
    static let characters = [UInt32](0..<0x32000) + [UInt32](0xE0000..<0xE0200)

    static var texts: [Text] { (try? stored.get().texts) ?? [] }

    /// Language, reference, hypothesis and another hypothesis a row.
    static let rows = Result {
        try String(contentsOf: folder.appending(path: "scores.tsv"), encoding: .utf8)
            .unicodeScalars.split(separator: "\n").map { row in
                row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            }
    }
}

/// The lines that a text's scores are of.
struct Lines {
    let hypotheses: [String]
    let others: [String]
    let references: [[String]]

    init(_ text: Golden.Text) throws {
        let rows =
            try text.name == "edges"
            ? Golden.stored.get().edges.map { edge in
                let backwards = String(String.UnicodeScalarView(edge[0].unicodeScalars.reversed()))
                return ["edges", edge[1], edge[0], backwards]
            }
            : Golden.rows.get().filter { $0[0] == text.name }
        hypotheses = rows.map { $0[2] }
        others = rows.map { $0[3] }
        references = [rows.map { $0[1] }, others, Array(hypotheses[1...]) + [hypotheses[0]]]
    }
}

/// FNV-1a of 64 bits over lines, each with its end.
struct LineDigest {
    private var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ line: some Sequence<Unicode.Scalar>) {
        for scalar in line { for byte in UTF8.encode(scalar)! { add(byte) } }
        add(0x0A)
    }

    private mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

    var hexadecimal: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
