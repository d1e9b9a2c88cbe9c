import Checkpoint
import Foundation
import Glibc

/// What lets a reader of the page in: a secret of the page's own, which lets no worker in.
package struct PageToken: Sendable {
    /// 32 letters and digits; to be shown to nobody but readers.
    package let text: String
    /// The digest of what a reader's browser keeps: the secret cannot be told from it.
    let session: String

    private init(_ text: String) {
        self.text = text
        session = SHA256.digest(Array("dtrain page \(text)".utf8))
    }

    /// The run's, made where there is none, or none that is whole. In a folder that cannot be written
    /// it lasts as long as this process.
    ///
    /// Throws: `exposed` for a file that everybody can read.
    package init(of paths: RunPaths) throws(CheckpointError) {
        if FileManager.default.fileExists(atPath: paths.pageToken) {
            let text = try PrivateFile.read(paths.pageToken)
            if text.utf8.count == Self.length, text.utf8.allSatisfy(Self.digits.contains) {
                self.init(text)
                return
            }
        }
        self = Self.fresh()
        try? PrivateFile.write(text, to: paths.pageToken)
    }

    private static let length = 32
    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    private static func fresh() -> PageToken {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<length).map { _ in digits[Int.random(in: 0..<32, using: &generator)] }
        return PageToken(String(decoding: bytes, as: UTF8.self))
    }

    func isToken(_ other: String) -> Bool { Self.same(text, other) }
    func isSession(_ other: String) -> Bool { Self.same(session, other) }

    /// Compares digests, byte by byte to the end: the time tells nothing.
    private static func same(_ one: String, _ other: String) -> Bool {
        let (one, other) = (SHA256.digest(Array(one.utf8)), SHA256.digest(Array(other.utf8)))
        return zip(one.utf8, other.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// Names by which the page may be asked for: a name that leads here by another's wish (DNS rebinding)
/// is none of them.
enum PageHost {
    /// `text`: what the header `Host` says.
    static func isOurs(_ text: String?, bound: String) -> Bool {
        guard let text, !text.isEmpty else { return false }
        let name = Self.name(text)
        return name == "localhost" || name == bound.lowercased() || isNumeric(name)
    }

    /// Without the port and the brackets.
    private static func name(_ text: String) -> String {
        let text = text.lowercased()
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        return String(text.prefix { $0 != ":" })
    }

    /// Whoever types an address has not been led here by a name.
    private static func isNumeric(_ name: String) -> Bool {
        var four = in_addr()
        var six = in6_addr()
        return inet_pton(AF_INET, name, &four) == 1 || inet_pton(AF_INET6, name, &six) == 1
    }
}
