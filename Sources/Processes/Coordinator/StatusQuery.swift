import Coordination
import Foundation
import Messaging
import Threads
import Wire

extension CoordinatorCall {
    /// Asks a coordinator how its run stands. Throws what `ask` does.
    package func status() throws -> RunStatus {
        let answer = try ask(
            StatusMessage.query.encoded, mark: StatusMessage.identityMark,
            limit: WireLimit.status + 1024)
        return try read { () throws(WireError) in
            guard case .answer(let json) = try StatusMessage(decoding: answer),
                let status = try? JSONDecoder().decode(RunStatus.self, from: Data(json))
            else { throw .foreignMagic }
            return status
        }
    }
}
