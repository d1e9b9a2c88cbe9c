/// sacreBLEU's tokenisation zh: characters from the ranges stand alone, the rest is cut as by 13a.
///
/// Source: sacreBLEU 2.6.0, tokenizers/tokenizer_zh.py, with its mistake. Python reads `'\u20000'`
/// as U+2000 and a 0, so that two of the ranges are compared as texts of two characters: they hold
/// U+2001…U+2A6D and U+2F81…U+2FA1 and none of the rare characters beyond U+FFFF.
extension Tokenisation {
    static func chinese(_ line: [Unicode.Scalar]) -> [Word] {
        western(line.withoutLeadingSpace.spaced(where: \.isChinese))
    }
}

extension Unicode.Scalar {
    fileprivate var isChinese: Bool {
        switch value {
        case 0x3400...0x4DB5, 0x4E00...0x9FBB, 0xF900...0xFA2D, 0xFA30...0xFA6A, 0xFA70...0xFAD9,
            0x2001...0x2A6D, 0x2F81...0x2FA1, 0xFF00...0xFFEF, 0x2E80...0x2EFF, 0x3000...0x303F,
            0x31C0...0x31EF, 0x2F00...0x2FDF, 0x2FF0...0x2FFF, 0x3100...0x312F, 0x31A0...0x31BF,
            0xFE10...0xFE1F, 0xFE30...0xFE4F, 0x3200...0x33FF:
            true
        default: false
        }
    }
}
