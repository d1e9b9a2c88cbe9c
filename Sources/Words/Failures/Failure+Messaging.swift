import Messaging
import Wire

extension Failure {
    package init(_ error: MessagingError) {
        switch error {
        case .addressInUse(let endpoint):
            self = .io("\(endpoint) is in use, give another port with --bind or end its owner")
        case .invalidEndpoint(let endpoint, let code):
            self = .usage("\(endpoint) is no address of this machine: \(reason(code))")
        case .unknownHost(let name, let reason):
            self = .usage("'\(name)' leads to no address (\(reason)), give another or its numbers")
        case .cannotBind(let endpoint, let code):
            self.init(
                errno: code, otherwise: .io("\(endpoint) cannot be bound: \(reason(code))"))
        case .cannotConnect(let endpoint, let code):
            self.init(
                errno: code,
                otherwise: .io("\(endpoint) cannot be connected to: \(reason(code))"))
        case .system(let call, let code):
            self.init(errno: code, otherwise: .io("\(call) failed: \(reason(code))"))
        case .refused(let error): self.init(error)
        case .unsoundMemory(let reason):
            self = Failure(
                .other, "shared memory of another process cannot be used: \(reason)")
        case .invalidOption(let name, let code):
            self = Failure(.other, "libzmq refused its option \(name): \(reason(code))")
        case .unknownPeer, .wouldBlock, .tooManyFrames, .tooFewFrames, .tooManyBytes:
            self = Failure(.other, "a message could not be exchanged: \(plainWords(error))")
        }
    }
}
