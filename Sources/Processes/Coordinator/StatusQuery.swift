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

extension CoordinatorProcess {
    /// Answers whoever asks how the run stands.
    func answer(_ payload: [UInt8], to identity: [UInt8]) {
        if DoctorMessage.isOne(payload) { return answerDoctor(payload, identity) }
        var json: [UInt8] = []
        do throws(WireError) {
            guard case .query = try StatusMessage(decoding: payload),
                let status = try? JSONEncoder().encode(coordinator.status(at: Clock.now))
            else { return }
            json = Array(status)
        } catch .otherProtocol {
            // Whoever speaks another version sees it from any answer.
        } catch {
            return
        }
        try? endpoint.socket.send(to: identity, StatusMessage.answer(json).encoded)
    }
}
