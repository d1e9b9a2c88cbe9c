import Messaging
import Processes
import Settings

extension Failure {
    package init(_ error: TokenError) {
        switch error {
        case .noPrefix:
            self = .usage("a token begins with \(Token.prefix), copy the whole of it")
        case .newer(let format):
            self = .data(
                """
                the token has format \(format) and this program reads up to \(Token.format): it was \
                made by a newer dtrain, use that one
                """)
        case .length(let found, let expected):
            self = .usage(
                """
                the token has \(found) characters behind \(Token.prefix) instead of \(expected), \
                copy the whole of it
                """)
        case .letter(let position):
            self = .usage(
                """
                character \(position) behind \(Token.prefix) occurs in no token, copy it again
                """)
        case .mistyped:
            self = .usage("the token's checksum does not match: it is mistyped, copy it again")
        case .missing:
            self = .usage(
                """
                the coordinator wants to see the run's token, give --token-file RUN/token, --token \
                or \(Access.variable)
                """)
        case .noKeys(let folder):
            let what = missing(folder) ?? "\(shown(folder)) holds no token"
            self = .usage(
                "\(what), give with --run the folder of a run that has begun")
        case .noKey(let path):
            self = .data(
                """
                \(shown(path)) holds no key: rm \(quoted(shown(path))) lets the run have a new one, with a new \
                token for all workers
                """)
        }
    }

    /// Of the token in a run's own folder, which can be made anew.
    package init(_ error: TokenError, in path: String, of folder: String) {
        let failure = Failure(error)
        if case .newer = error {
            self = failure
        } else {
            self = .data(
                """
                \(shown(path)) holds no whole token: dtrain token rotate --run \(quoted(shown(folder))) makes \
                another
                """)
        }
    }

    package init(_ error: CoordinatorCall.Failure) {
        switch error {
        case .noAnswer(let address, let seconds):
            self.init(
                .unavailable,
                "no coordinator answers at \(address) in \(seconds) s: check --connect, or whether "
                    + "the run is over")
        case .otherProtocol(let address, let theirs, let ours):
            self.init(
                .other,
                "the coordinator at \(address) speaks protocol \(theirs), this program \(ours): "
                    + "use the same build")
        case .nonsense(let address): self.init(foreign: "", at: address)
        case .foreign(let address, let words): self.init(foreign: words, at: address)
        case .notShaken(let reason): self.init(reason)
        }
    }

    /// Another service listens where a coordinator should.
    package init(foreign words: String, at address: Address) {
        let quoted = words.isEmpty ? "" : " (it says '\(words)')"
        self.init(
            .unavailable,
            "what listens at \(address) is not a dtrain coordinator\(quoted): check --connect")
    }

    package init(_ error: WorkerError) {
        switch error {
        case .foreignService(let address, let words): self.init(foreign: words, at: address)
        case .coordinatorNeverCame(let address, let seconds):
            self.init(
                .unavailable,
                "no coordinator came at \(address) in \(seconds) s: check --connect, or give "
                    + "--wait more")
        case .tokenRefused(let address):
            self.init(
                .other,
                "the coordinator at \(address) refuses the token: it has been changed since, get "
                    + "the new one")
        case .foreignToken(let address):
            self.init(
                .other,
                "who listens at \(address) is not the token's coordinator, or runs --insecure: check "
                    + "--connect, or get the token of the run there")
        case .tokenMissing(let address):
            self.init(
                .other,
                "the coordinator at \(address) encrypts: give the run's token instead of "
                    + "--insecure")
        case .plainCoordinator(let address):
            self.init(
                .other,
                "the coordinator at \(address) runs --insecure and proves nothing: start it "
                    + "without, or give --insecure here too")
        }
    }
}

/// Why a connection from `host` was not let in.
package func sentence(turnedAway host: String, _ reason: HandshakeFailure, more: Int) -> String {
    let why =
        switch reason {
        case .refused: "its token or key is not one that is let in"
        case .otherMechanism: "it speaks plain text and this side encrypts, or the reverse"
        case .otherKey: "its token is another run's, or bytes were altered on the way"
        case .nonsense: "what it sends is no handshake"
        case .cutOff:
            "it went before it had proven anything (no dtrain, an older one, or one without a token)"
        }
    let others = more > 0 ? " (and \(more) like it since)" : ""
    return "a connection\(host.isEmpty ? "" : " from \(host)") was turned away: \(why)\(others)"
}
