import Foundation
import Messaging
import Wire

/// Handshakes that came to nothing, one after another.
struct Setbacks {
    private var count = 0
    private var since = ContinuousClock.now

    /// Whether there have been so many, for so long, that it is no accident.
    mutating func isHopeless(at now: ContinuousClock.Instant) -> Bool {
        if count == 0 { since = now }
        count += 1
        return count >= 5 && since.duration(to: now) > .seconds(1)
    }
}

/// How a worker is let in: under the token's key it registers its own, under that it works.
extension WorkerProcess {
    /// What the next connection is secured by.
    ///
    /// - Throws: `Hindrance` where the token's file is not there yet, else what is wrong with it.
    func security() throws -> SocketOptions.Security {
        guard let own else { return .plain }
        if case .tokenFile(let path) = options.access, token == nil,
            !FileManager.default.fileExists(atPath: path)
        {
            throw Hindrance.noTokenFile(path)
        }
        guard let token = try token ?? options.access.token() else { return .plain }
        self.token = token
        return .client(
            control.isApplication ? token.workers : own, server: token.coordinator)
    }

    func register() {
        guard let own else { return }
        control.post(AdmissionMessage.register(key: own.publicKey.bytes).encoded)
    }

    /// The coordinator has answered to the token's key.
    func answered(_ bytes: [UInt8]) {
        do throws(WireError) {
            if case .registered = try AdmissionMessage(decoding: bytes) {
                isRegistered = true
                reconnect()
            }
        } catch .otherProtocol(let theirs, let ours) {
            outcome = .unfit(
                reason: "the coordinator speaks protocol \(theirs), this worker \(ours)")
        } catch {
            search.hasDoubts()
            if case .refused(let refusal)? = try? CoordinatorMessage(decoding: bytes) {
                outcome = .refused(refusal)
            }
        }
    }

    /// Keeps what the coordinator says is the token from now on.
    func keep(token text: String) {
        guard let new = try? Token(text), new.coordinator == token?.coordinator else { return }
        token = new
    }

    /// The handshake has failed.
    func turnedAway(_ reason: HandshakeFailure) {
        let address = options.coordinator
        nextAttempt = .now + .milliseconds(100)
        switch reason {
        case .otherMechanism:
            failure =
                own == nil
                ? WorkerError.tokenMissing(address) : WorkerError.plainCoordinator(address)
        case .refused where !control.isApplication:
            // A coordinator that was started anew knows no keys yet.
            isRegistered = false
            reconnect()
        case .refused:
            guard takeNewerToken() else {
                failure = WorkerError.tokenRefused(address)
                return
            }
            reconnect()
        case .otherKey, .nonsense, .cutOff:
            search.hasDoubts()
            if own != nil, setbacks.isHopeless(at: .now) {
                failure = WorkerError.foreignToken(address)
                return
            }
            handle(.disconnected)
        }
    }

    /// Looks whether the file holds another token by now.
    private func takeNewerToken() -> Bool {
        guard case .tokenFile = options.access, let new = try? options.access.token(), new != token
        else { return false }
        token = new
        return true
    }
}
