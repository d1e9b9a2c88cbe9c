import Foundation

/// Standard output, unbuffered: what is written is out.
enum StandardOutput {
    /// Throws an I/O failure, such as a full disk. A reader that went away ends the program quietly.
    static func write(_ text: String) throws(Failure) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                bytes.removeFirst(count)
            } else if errno == EPIPE {
                Foundation.exit(0)
            } else if errno != EINTR {
                throw .io("standard output cannot be written: \(reason(errno))")
            }
        }
    }

    /// Writes one line of JSON; infinities and NaN, which JSON lacks, become strings.
    static func write(json value: some Encodable) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("\(type(of: value)) has no form in JSON")
        }
        try write(String(decoding: data, as: UTF8.self) + "\n")
    }
}
