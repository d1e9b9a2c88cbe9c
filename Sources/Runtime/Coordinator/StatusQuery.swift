import Coordination
import Foundation
import Messaging
import Wire

/// Asks a coordinator how its run stands.
package struct StatusQuery {
    /// Why there was no answer.
    package enum Failure: Error, Sendable {
        case noAnswer(Address, seconds: Int)
        case otherProtocol(Address, theirs: Int, ours: Int)
        case nonsense(Address)
    }

    let coordinator: Address
    static let patience = 5

    package init(_ coordinator: Address) { self.coordinator = coordinator }

    /// Throws: `Failure`, `MessagingError`.
    package func run() throws -> RunStatus {
        let context = try Context()
        var options = SocketOptions()
        options.identity =
            [StatusMessage.identityMark] + (0..<8).map { _ in UInt8.random(in: 0...255) }
        options.linger = .zero
        options.maximumFrameBytes = WireLimit.status + 1024
        options.maximumMessageBytes = WireLimit.status + 1024
        options.ipv6 = true
        let socket = try DealerSocket(context, options)
        guard let address = try coordinator.answering() else {
            throw Failure.noAnswer(coordinator, seconds: Self.patience)
        }
        try socket.connect(coordinator.at(address).description)
        let deadline = ContinuousClock.now + .seconds(Self.patience)
        do {
            try socket.send(StatusMessage.query.encoded, until: deadline)
        } catch {
            // Nobody is there to take it.
            guard error == .wouldBlock else { throw error }
            throw Failure.noAnswer(coordinator, seconds: Self.patience)
        }
        var poller = Poller()
        poller.add(socket, for: .readable)
        while try poller.wait(until: deadline) {
            if let bytes = try socket.receive() { return try status(bytes) }
        }
        throw Failure.noAnswer(coordinator, seconds: Self.patience)
    }

    private func status(_ bytes: [UInt8]) throws -> RunStatus {
        do throws(WireError) {
            guard case .answer(let json) = try StatusMessage(decoding: bytes),
                let status = try? JSONDecoder().decode(RunStatus.self, from: Data(json))
            else { throw .foreignMagic }
            return status
        } catch .otherProtocol(let theirs, let ours) {
            throw Failure.otherProtocol(coordinator, theirs: theirs, ours: ours)
        } catch {
            throw Failure.nonsense(coordinator)
        }
    }
}

extension CoordinatorProcess {
    /// Answers whoever asks how the run stands; anything else from a stranger is passed over.
    func answer(_ payload: [UInt8], to identity: [UInt8]) {
        guard identity.count == 9, identity[0] == StatusMessage.identityMark,
            case .query? = try? StatusMessage(decoding: payload),
            let json = try? JSONEncoder().encode(coordinator.status(at: Clock.now))
        else { return }
        try? endpoint.socket.send(to: identity, StatusMessage.answer(Array(json)).encoded)
    }
}
