import CZeroMQ

/// The public half of a CURVE key pair: it names its owner and lets others check that name.
package struct PublicKey: Hashable, Sendable, CustomStringConvertible {
    /// Length of either half of a key pair, in bytes (Curve25519).
    package static let byteCount = 32
    /// The key itself, `byteCount` bytes.
    package let bytes: [UInt8]

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Reads what `description` wrote; nil for anything else.
    package init?(hexadecimal text: String) {
        guard text.utf8.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        self.init(bytes)
    }

    /// Hexadecimal.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// A CURVE key pair (Curve25519). Printed or reflected upon it shows its public half alone.
package struct KeyPair: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The half that may be shown to everybody.
    package let publicKey: PublicKey
    /// 32 bytes, to be shown to nobody.
    package let secret: [UInt8]

    /// A pair drawn from the system's random numbers.
    ///
    /// - Throws: `.system` where libzmq was built without CURVE.
    package static func random() throws(MessagingError) -> KeyPair {
        var open = [CChar](repeating: 0, count: 41)
        var secret = open
        guard zmq_curve_keypair(&open, &secret) == 0 else {
            throw .system(call: "zmq_curve_keypair", code: zmq_errno())
        }
        return KeyPair(publicKey: PublicKey(decoded(open))!, secret: decoded(secret))
    }

    /// The pair that a secret half belongs to; nil unless that has 32 bytes.
    ///
    /// - Throws: `.system` where libzmq was built without CURVE.
    package init?(secret: [UInt8]) throws(MessagingError) {
        guard secret.count == PublicKey.byteCount else { return nil }
        var text = [CChar](repeating: 0, count: 41)
        var open = text
        zmq_z85_encode(&text, secret, secret.count)
        guard zmq_curve_public(&open, text) == 0 else {
            throw .system(call: "zmq_curve_public", code: zmq_errno())
        }
        self.init(publicKey: PublicKey(Self.decoded(open))!, secret: secret)
    }

    private init(publicKey: PublicKey, secret: [UInt8]) {
        self.publicKey = publicKey
        self.secret = secret
    }

    /// Names the pair by its public half; the secret half stays out of logs.
    package var description: String { "the key pair of \(publicKey)" }
    /// Shows the public half alone, to `dump` and to debuggers, too.
    package var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }

    private static func decoded(_ text: [CChar]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: PublicKey.byteCount)
        zmq_z85_decode(&bytes, text)
        return bytes
    }
}
