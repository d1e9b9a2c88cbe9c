import Foundation
import Testing
import Text

/// Two SentencePiece models and a file of numbers as one tokenizer.
@Suite("A tokenizer of Marian")
struct MarianTokenizerTests {
    private static let source = try! Tokenizer.train(
        on: ["the cat sleeps well", "the dog eats"], vocabulary: 24)
    private static let target = try! Tokenizer.train(
        on: ["le chat dort bien", "un chien mange"], vocabulary: 26)

    private func files(
        _ words: [String], pad: Int? = nil, start: Int? = nil, end: Int = 0
    ) throws -> MarianFiles {
        let numbers = words.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ",\n")
        let last = words.count - 1
        return MarianFiles(
            source: Self.source.model, target: Self.target.model,
            vocabulary: Array("{\(numbers)}\n".utf8), size: words.count, pad: pad ?? last,
            start: start ?? last, end: end)
    }

    /// As OPUS-MT has it: end and unknown first, the pieces of both sides, the padding last.
    private func usual(_ more: [String] = []) throws -> [String] {
        let pieces = try Self.source.allPieces().dropFirst(4) + Self.target.allPieces().dropFirst(4)
        var words = ["</s>", "<unk>"]
        for piece in pieces + more + ["<pad>"] where !words.contains(piece) { words.append(piece) }
        return words
    }

    @Test func `splits each side by its own model, and gives both one row of numbers`() throws {
        let words = try usual([">>fra<<"])
        let tokenizer = try Tokenizer(model: files(words).bytes, file: "")
        #expect(tokenizer.vocabulary == words.count + 1)
        let ids = try #require(tokenizer.marianIDs)
        #expect(ids[words.count - 1] == 1 && ids[0] == 2 && ids[1] == 3 && ids[2] == 4)
        let one = try tokenizer.encode("the chat")
        let two = try tokenizer.encode("the chat", as: .target)
        #expect(one != two)
        let texts = try tokenizer.allPieces()
        #expect(Set(texts).count == texts.count && texts[0] == "<pad>")
        let own = try Self.source.encode("the chat").map { try Self.source.allPieces()[Int($0)] }
        #expect(zip(one, own).allSatisfy { texts[Int($0)] == $1 || $1 == "<unk>" })
        let said = try tokenizer.encode("un chat dort", as: .target)
        #expect(try tokenizer.decode([1] + said + [2]) == "un chat dort")
        let coded = try tokenizer.encode(">>fra<< the cat")
        let plain = try tokenizer.encode("the cat")
        #expect(texts[Int(coded[0])] == ">>fra<<" && coded.dropFirst() == plain[...])
        #expect(try tokenizer.encode(">>deu<< the cat")[0] == Tokenizer.unknown)
        #expect(try tokenizer.unknown(in: "the 字 cat") == "字")
        #expect(try tokenizer.decode([3]) == "⁇")
    }

    @Test func `keeps pieces apart that Unicode holds for equal`() throws {
        let words = try usual(["e\u{301}", "\u{E9}"])
        // Swift's texts are equal, so the list has lost one: it is put in by its bytes.
        var list = words.filter { $0 != "\u{E9}" }
        list.insert(contentsOf: ["\\u00e9", "e\\u0301"], at: 2)
        let tokenizer = try Tokenizer(model: files(list).bytes, file: "")
        #expect(tokenizer.vocabulary == list.count + 1)
    }

    @Test func `is the same after it was kept, and refuses every other form`() throws {
        let files = try files(usual())
        let bytes = files.bytes
        let tokenizer = try Tokenizer(model: bytes, file: "")
        #expect(tokenizer.marian == files && tokenizer.model == bytes)
        let empty = try #require(bytes.indices.first { bytes[$0...].starts(with: [0x0A, 0x0A]) })
        let letters = bytes[..<empty].indices.filter { bytes[$0] >= UInt8(ascii: "a") }
        #expect(letters.count > 50)
        for place in letters {
            var other = bytes
            other[place] ^= 1
            #expect(throws: TextError.self) { try Tokenizer(model: other, file: "") }
        }
        #expect(throws: TextError.self) { try Tokenizer(model: bytes.dropLast(), file: "") }
        #expect(throws: TextError.self) { try Tokenizer(model: bytes + [0], file: "") }
    }

    @Test(arguments: [
        "", "[]", "{", "{\"a\": 1", "{\"a\": 1,}", "{\"a\": -1}", "{\"a\": 01}", "{\"a\": 1.5}",
        "{\"a\": 999999999}", "{\"a\": 1, \"a\": 2}", "{\"a\": 1, \"b\": 1}", "{\"\\ud800\": 1}",
        "{\"\\x\": 1}", "{\"a\": 1} x", "{\"a\u{1}\": 1}", "{\"a\": \"1\"}", "{\"\\u00e\": 1}",
    ])
    func `numbers in another form are refused with their place`(text: String) throws {
        var files = try files(usual())
        files.vocabulary = Array(text.utf8)
        let error = #expect(throws: TextError.self) { try Tokenizer(model: files.bytes, file: "f") }
        guard case .vocabulary("f", _)? = error else {
            Issue.record("\(text): \(String(describing: error))")
            return
        }
    }

    @Test func `marks that are missing or are one are refused`() throws {
        let words = try usual()
        #expect(throws: TextError.vocabularyMarks(file: "")) {
            try Tokenizer(model: files(words.filter { $0 != "<unk>" }).bytes, file: "")
        }
        #expect(throws: TextError.vocabularyMarks(file: "")) {
            try Tokenizer(model: files(words, end: words.count - 1).bytes, file: "")
        }
        // A begin mark of its own is one of the four, and no row is there twice.
        let apart = try Tokenizer(model: files(words, start: 2).bytes, file: "")
        #expect(apart.vocabulary == words.count)
    }
}
