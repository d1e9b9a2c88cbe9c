import Checkpoint
import Foundation
import Words

/// Standard output, unbuffered: what is written is out.
enum StandardOutput {
    /// Writes for a person: what a terminal would obey is made visible.
    ///
    /// Throws an I/O failure, such as a full disk. A reader that went away ends the program quietly.
    static func write(_ text: String) throws(Failure) { try write(exactly: text.visible) }

    /// Writes what the program is asked for, byte for byte but on a terminal. Throws as `write`.
    static func write(product text: String) throws(Failure) {
        try isTerminal ? write(text) : write(exactly: text)
    }

    private static let isTerminal = isatty(STDOUT_FILENO) == 1

    private static func write(exactly text: String) throws(Failure) {
        switch put(text, STDOUT_FILENO) {
        case 0: return
        case EPIPE: Foundation.exit(0)
        case let code: throw .io("standard output cannot be written: \(reason(code))")
        }
    }

    /// Writes one line of JSON; infinities and NaN, which JSON lacks, become strings.
    static func write(json value: some Encodable) throws(Failure) {
        guard let data = try? JSONForm.encoder().encode(value) else {
            preconditionFailure("\(type(of: value)) has no form in JSON")
        }
        try write(exactly: String(decoding: data, as: UTF8.self).visibleJSON + "\n")
    }
}

/// Standard error. What cannot be said there is lost, for there is nobody to tell: a full disk under
/// a log or a terminal that went away must not end a run. (`FileHandle` would trap.)
enum StandardError {
    static func write(_ text: String) { _ = put(text, STDERR_FILENO) }

    /// Lets writing to a reader that went away, or to a file that may not grow, fail instead of ending
    /// the program.
    static func outlivesItsReader() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }
}

/// Writes all of `text`; returns 0 or the errno that stopped it.
private func put(_ text: String, _ descriptor: Int32) -> Int32 {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 {
            bytes.removeFirst(count)
        } else if errno != EINTR {
            return errno
        }
    }
    return 0
}
