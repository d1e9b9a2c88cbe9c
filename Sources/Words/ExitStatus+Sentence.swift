import Foundation
import Threads

/// How a process has ended: "ended with exit code 1".
package func said(_ status: ExitStatus) -> String {
    switch status {
    case .code(let code): "ended with exit code \(code)"
    case .signal(let signal):
        "was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
    }
}
