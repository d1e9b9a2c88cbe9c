import FuzzKit
import Testing
import Text

/// Whatever stands in a tokenizer's file, it is one that encodes and decodes, or an error.
@Suite struct TokenizerFuzzTests {
    /// A field of a message, its length put right.
    private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        repeat {
            length.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return [number << 3 | 2] + length + content
    }

    /// The fields of a model; all that SentencePiece writes hold bytes.
    private static func fields(of model: [UInt8]) -> [(number: UInt8, content: [UInt8])] {
        var fields: [(number: UInt8, content: [UInt8])] = []
        var rest = model[...]
        while let key = rest.popFirst() {
            var count = 0
            var shift = 0
            repeat {
                count |= Int(rest.first! & 0x7F) << shift
                shift += 7
            } while rest.popFirst()! > 0x7F
            fields.append((key >> 3, Array(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
        return fields
    }

    /// Numbers, types, scores and names that the library gives a meaning to.
    private static let fragments: [[UInt8]] = [
        [0x0A, 0], [0x18, 1], [0x18, 2], [0x18, 3], [0x18, 4], [0x18, 5], [0x18, 6], [0x18, 0x7F],
        [0x15, 0, 0, 0xC0, 0x7F], [0x15, 0, 0, 0x80, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
        [0x18, 1, 0x18, 2], [0xE2, 0x96, 0x81], Array("<0x41>".utf8), Array("<unk>".utf8), [0],
        [0x18, 3, 0x18, 4], [0xC3], [0xB8, 2, 1], [0xA0, 1, 1], [0x80, 0x80, 0x80, 0x80, 0x10],
    ]

    /// A map of "A" to "a" and of "AB" to "b".
    static let map: [UInt8] = {
        var units = [UInt32](repeating: 0x8000_0000, count: 1024)
        units[0] = 256 << 10
        // Each stands where the base before it and its letter lead, and leads to the next base.
        units[256 ^ 0x41] = UInt32(256 ^ 0x41 ^ 512) << 10 | 0x100 | 0x41
        units[512] = 0x8000_0000
        units[512 ^ 0x42] = UInt32(512 ^ 0x42 ^ 768) << 10 | 0x100 | 0x42
        units[768] = 0x8000_0002
        let bytes = ([UInt32(4 * units.count)] + units).flatMap { unit in
            (0..<4).map { UInt8(truncatingIfNeeded: unit >> UInt32(8 * $0)) }
        }
        return bytes + Array("a\0b\0".utf8)
    }()

    /// A model that normalises what it encodes by a character map.
    static func withMap(_ model: [UInt8], _ map: [UInt8]) -> [UInt8] {
        model + field(3, field(2, map))
    }

    private static func mutant(
        _ fields: [(number: UInt8, content: [UInt8])], _ fuzzer: inout Fuzzer
    ) -> [UInt8] {
        var fields = fields
        // Half of them on the way to what comes after the pieces.
        let first = fuzzer.chance(50) ? 0 : fields.firstIndex { $0.number != 1 }!
        for _ in 0..<fuzzer.number(1...2) {
            let place = fuzzer.number(first...fields.count - 1)
            switch fuzzer.number(0...9) {
            case 0: fields[place].number = UInt8(fuzzer.number(1...5))
            case 1: fields.append(fields[place])
            case 2: fields.swapAt(place, fuzzer.number(0...fields.count - 1))
            default: fields[place].content = fuzzer.mutated(fields[place].content)
            }
        }
        if fuzzer.chance(30) {
            let map = fuzzer.chance(10) ? Self.map : fuzzer.mutated(Self.map)
            let number: UInt8 = fuzzer.chance(80) ? 3 : 5
            fields.append((number, field(2, map)))
        }
        return fields.flatMap { field($0.number, $0.content) }
    }

    @Test("tokenizers")
    func tokenizers() throws {
        var fuzzer = Fuzzer("tokenizers", fragments: Self.fragments)
        let wholes = try Tokenizer.Method.allCases.map { method in
            let lines = ["the ABLE file is open", "le fichier est ouvert"]
            return try Tokenizer.train(on: lines, vocabulary: 26, method: method).model
        }
        let samples = wholes.map(Self.fields)
        var loaded = 0
        for round in 0..<Fuzzer.rounds {
            let bytes =
                round % 8 == 0
                ? fuzzer.mutated(wholes[round / 8 % 2])
                : Self.mutant(samples[round % 2], &fuzzer)
            guard let tokenizer = try? Tokenizer(model: bytes, file: "") else { continue }
            loaded += 1
            if let ids = try? tokenizer.encode("the file ABA\u{2581}wé ouvert 👩‍👩‍👧") {
                #expect(ids.allSatisfy { (0..<tokenizer.vocabulary).contains(Int($0)) })
            }
            _ = try? tokenizer.decode((0..<tokenizer.vocabulary).map { Int32($0) })
        }
        #expect(loaded > Fuzzer.rounds / 100)
    }

    @Test func `a character map is used, and refused where it leads outside itself`() throws {
        let model = try Tokenizer.train(on: ["a b able", "a b c"], vocabulary: 12).model
        func with(_ map: [UInt8]) -> [UInt8] { Self.withMap(model, map) }
        let tokenizer = try Tokenizer(model: with(Self.map), file: "")
        #expect(try tokenizer.encode("A AB") == tokenizer.encode("a b"))
        #expect(try tokenizer.encode("A") != Tokenizer(model: model, file: "").encode("A"))
        func word(_ index: Int, _ value: UInt32) -> [UInt8] {
            var map = Self.map
            for byte in 0..<4 {
                map[4 + 4 * index + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))
            }
            return map
        }
        let wrong: [[UInt8]] = [
            // A way outside, a circle, a text that is none, no end of texts, sizes that are none.
            word(0, 1024 << 10), word(0, 0x3FFF_FFFF << 10 | 512),
            word(256 ^ 0x41, UInt32(256 ^ 0x41 ^ 256) << 10 | 0x41), word(512, 0x8000_0004),
            Self.map.dropLast() + [1], [0xFF, 0xFF, 0xFF, 0xFF] + Self.map.dropFirst(4),
            [1] + Self.map.dropFirst(), Array(Self.map.prefix(4)) + [0], [0, 0, 0, 0, 0],
        ]
        for map in wrong {
            #expect(throws: TextError.self) { try Tokenizer(model: with(map), file: "") }
        }
    }
}
