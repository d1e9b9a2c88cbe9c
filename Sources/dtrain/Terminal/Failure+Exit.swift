import Foundation
import Words

extension Failure {
    /// Says the sentence and ends the program.
    func exit() -> Never {
        warn(sentence)
        Foundation.exit(code.rawValue)
    }
}

/// Says `sentence` on standard error, on one line.
func warn(_ sentence: String) {
    StandardError.write("dtrain: \(sentence.visibleLine)\n")
}
