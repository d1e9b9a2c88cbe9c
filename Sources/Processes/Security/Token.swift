import Checkpoint
import Messaging

/// What lets a worker in: the coordinator's public key, by which the worker knows it, and the secret
/// half of the workers' key, by which the coordinator knows the worker.
///
/// As text: `dtrain1-` and 109 letters and digits (Crockford's base 32) of both keys and of the
/// first four bytes of their SHA-256. Printed by accident it shows nothing secret.
package struct Token: Hashable, Sendable, CustomStringConvertible {
    package let coordinator: PublicKey
    package let workers: KeyPair

    package init(coordinator: PublicKey, workers: KeyPair) {
        self.coordinator = coordinator
        self.workers = workers
    }

    /// The version of the format that this program writes and reads; it stands in the prefix.
    package static let format = 1
    package static let prefix = "dtrain\(format)-"
    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let byteCount = 2 * PublicKey.byteCount + 4
    static let digitCount = (8 * byteCount + 4) / 5

    package var description: String { "the token of \(coordinator)" }

    /// The token itself, to be shown to nobody but workers and their keepers.
    package var text: String {
        let keys = coordinator.bytes + workers.secret
        return Self.prefix + Self.encoded(keys + Self.checksum(keys))
    }

    /// Throws `TokenError` that says what is wrong without showing the text.
    package init(_ text: String) throws {
        let text = text.trimmingPrefix { $0.isWhitespace }
        guard text.hasPrefix(Self.prefix) else {
            let format = Self.format(of: text)
            throw format.map { $0 > Self.format } == true
                ? TokenError.newer(format: format!) : .noPrefix
        }
        var digits = Array(text.dropFirst(Self.prefix.count).utf8)
        while let last = digits.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) {
            digits.removeLast()
        }
        guard digits.count == Self.digitCount else {
            throw TokenError.length(found: digits.count, expected: Self.digitCount)
        }
        let bytes = try Self.decoded(digits)
        let keys = Array(bytes.prefix(2 * PublicKey.byteCount))
        guard Self.checksum(keys) == Array(bytes.suffix(4)),
            let coordinator = PublicKey(Array(keys.prefix(PublicKey.byteCount))),
            let workers = try KeyPair(secret: Array(keys.suffix(PublicKey.byteCount)))
        else { throw TokenError.mistyped }
        self.init(coordinator: coordinator, workers: workers)
    }

    /// The number in a prefix such as `dtrain2-`; nil where there is none.
    private static func format(of text: some StringProtocol) -> Int? {
        guard text.hasPrefix("dtrain"), let dash = text.firstIndex(of: "-") else { return nil }
        return Int(text[text.index(text.startIndex, offsetBy: 6)..<dash])
    }

    private static func checksum(_ keys: [UInt8]) -> [UInt8] {
        let digest = UInt32(SHA256.digest(keys).prefix(8), radix: 16)!
        return (0..<4).map { UInt8(truncatingIfNeeded: digest >> UInt32(8 * (3 - $0))) }
    }

    private static func encoded(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(digits[Int(bits >> UInt32(count) & 31)])
            }
        }
        if count > 0 { text.append(digits[Int(bits << UInt32(5 - count) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Capitals count as small letters.
    private static func decoded(_ text: [UInt8]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for (index, letter) in text.enumerated() {
            let small = (0x41...0x5A).contains(letter) ? letter + 0x20 : letter
            guard let value = digits.firstIndex(of: small) else {
                throw TokenError.letter(position: index + 1)
            }
            bits = bits << 5 | UInt32(value)
            count += 5
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        guard bits & (1 << UInt32(count) - 1) == 0 else { throw TokenError.mistyped }
        return bytes
    }
}

/// What is wrong with a token, or with where it was to be found.
package enum TokenError: Error, Equatable, Sendable {
    case noPrefix
    /// A newer version made it.
    case newer(format: Int)
    case length(found: Int, expected: Int)
    /// No digit of the alphabet stands there, counted from 1 behind the prefix.
    case letter(position: Int)
    /// The checksum is another.
    case mistyped
    /// None was given.
    case missing
    /// The run has no keys.
    case noKeys(folder: String)
    /// The key file holds none.
    case noKey(path: String)
}
