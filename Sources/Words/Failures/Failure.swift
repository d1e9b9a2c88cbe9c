import Foundation

/// How the program ends when it cannot do what it was asked: one sentence and an exit code.
package struct Failure: Error {
    /// CONTRACT: usage 64, unfit data 65, a missing package or service 69, a thread, memory, a
    /// descriptor or a process refused 71, I/O 74, otherwise 1.
    package enum Code: Int32 {
        case other = 1
        case usage = 64
        case data = 65
        case unavailable = 69
        case resources = 71
        case io = 74
    }

    package let sentence: String
    package let code: Code

    package init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }

    package static func usage(_ sentence: String) -> Failure { Failure(.usage, sentence) }
    package static func data(_ sentence: String) -> Failure { Failure(.data, sentence) }
    package static func io(_ sentence: String) -> Failure { Failure(.io, sentence) }

    /// What is wrong, without the advice after the last comma.
    package var cause: String {
        sentence.lastIndex(of: ",").map { String(sentence[..<$0]) } ?? sentence
    }
}

/// The system's words for `errno`, such as "No such file or directory".
package func reason(_ errno: Int32) -> String { String(cString: strerror(errno)) }
