import ArgumentParser
import Foundation
import Runtime

extension Failure {
    /// Turns whatever a command threw into its sentence; the modules' own errors first.
    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as ConfigurationError: self.init(error)
        default: self.init(.other, "unexpected: \(error)")
        }
    }
}
