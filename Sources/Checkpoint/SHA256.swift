import CCrypto

/// An incremental SHA-256 (FIPS 180-4), computed by OpenSSL's libcrypto.
package final class SHA256 {
    private let context: OpaquePointer

    /// Begins a digest of nothing.
    package init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a digest") }
        self.context = context
        restart()
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Appends bytes to those that the digest is of.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(status == 1, "EVP_DigestUpdate returned \(status)")
    }

    /// Returns the digest of everything since the start, in 64
    /// hexadecimal digits; then starts anew.
    package func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = EVP_DigestFinal_ex(context, &digest, nil)
        precondition(status == 1, "EVP_DigestFinal_ex returned \(status)")
        restart()
        return hexadecimal(digest)
    }

    /// The digest of bytes that are all there.
    package static func digest(_ bytes: [UInt8]) -> String {
        let hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }

    private func restart() {
        let status = EVP_DigestInit_ex(context, EVP_sha256(), nil)
        precondition(status == 1, "EVP_DigestInit_ex returned \(status)")
    }
}

/// Two lower-case digits a byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
