import Scoring
import Testing

@Suite struct TokenisationTests {
    @Test(arguments: Tokenisation.allCases)
    func `every scalar is cut as sacreBLEU cuts it`(_ tokenisation: Tokenisation) throws {
        var digest = LineDigest()
        for value in Golden.characters {
            guard let c = Unicode.Scalar(value) else { continue }
            let line: [Unicode.Scalar] = [
                "a", c, "b", " ", "1", c, "2", " ", c, "x", c, ",", c, "9", c, "-", " ", ".", c,
            ]
            digest.add(tokenisation.words(of: line).joined(separator: [" "]))
        }
        #expect(try digest.hexadecimal == Golden.stored.get().scalars[tokenisation.rawValue])
    }

    @Test func `every scalar of Unicode 14 becomes lower case as Python has it`() throws {
        var digest = LineDigest()
        for value in UInt32(0)..<0x110000 {
            guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age,
                age.major <= 14, scalar.properties.generalCategory != .unassigned
            else { continue }
            digest.add([scalar, "x"].lowercased)
        }
        #expect(try digest.hexadecimal == Golden.stored.get().lowercase)
    }

    @Test(arguments: [
        ("ΟΔΟΣ", "οδος"), ("Σ", "σ"), ("ΑΣ.", "ας."), ("ΑΣ\u{301}Α", "ασ\u{301}α"),
        ("ΑΣΑΣ", "ασας"),
    ])
    func `sigma at the end of a word has its own form`(_ upper: String, _ lower: String) {
        #expect([Unicode.Scalar](upper.unicodeScalars).lowercased == Array(lower.unicodeScalars))
    }

    @Test(arguments: [
        (["完全正确的句子。", "LibreOffice Writer 文字处理"], Tokenisation.chinese),
        (["図表のインポート", "文書"], .characters), (["한국어 문장입니다."], .characters),
        (["ประโยคภาษาไทย"], .characters), (["ພາສາລາວ"], .characters), (["ភាសាខ្មែរ"], .characters),
        (["မြန်မာဘာသာ"], .characters), (["Une phrase, comme 你好."], .mteval13a),
        (["हिन्दी का वाक्य"], .mteval13a), (["Русский текст"], .mteval13a), ([], .mteval13a),
        (["123 …", "😀"], .mteval13a),
    ])
    func `the script of the references chooses how words are cut`(
        _ lines: [String], _ expected: Tokenisation
    ) {
        #expect(Script(of: lines).tokenisation == expected)
    }
}
