import CZeroMQ
import Glibc
import Resources

/// An error of a socket. `code` is an errno, libzmq's own ones included.
package enum MessagingError: Error, Equatable, Sendable {
    case addressInUse(endpoint: String)
    /// The text is no endpoint, or its transport, host or interface does not exist here.
    case invalidEndpoint(String, code: Int32)
    /// The name leads nowhere, in the resolver's words.
    case unknownHost(String, reason: String)
    case cannotBind(endpoint: String, code: Int32)
    case cannotConnect(endpoint: String, code: Int32)
    /// No connection bears this identity (any more).
    case unknownPeer(identity: [UInt8])
    /// The peer's queue stayed full until the deadline.
    case wouldBlock
    /// A message of more frames than agreed; it was read to its end and dropped.
    case tooManyFrames(limit: Int)
    /// A message of fewer frames than agreed.
    case tooFewFrames(expected: Int)
    /// A message of more bytes than agreed; it was read to its end and dropped.
    case tooManyBytes(limit: Int)
    /// A neighbour's memory is not what it was said to be, or could vanish under its reader.
    case unsoundMemory(reason: String)
    case invalidOption(name: String, code: Int32)
    case system(call: String, code: Int32)
    /// No thread, or not as many descriptors as it takes.
    case refused(ResourceError)

    /// The `code` of a wait that was too long.
    package static let timedOut = ETIMEDOUT
}

extension MessagingError {
    /// Whether the system has refused a thread, a descriptor or memory.
    package var isRefusal: Bool {
        switch self {
        case .refused: true
        case .system(_, let code), .cannotBind(_, let code), .cannotConnect(_, let code):
            ResourceError(errno: code) != nil
        default: false
        }
    }
}

/// A few words, for what other processes are told and for logs.
extension MessagingError: CustomStringConvertible {
    /// The error in a few words, with the endpoint or the call that failed.
    package var description: String {
        switch self {
        case .addressInUse(let endpoint): "\(endpoint) is in use"
        case .invalidEndpoint(let endpoint, let code): "\(endpoint): \(Self.words(code))"
        case .unknownHost(let name, let reason): "\(name): \(reason)"
        case .cannotBind(let endpoint, let code): "binding \(endpoint): \(Self.words(code))"
        case .cannotConnect(let endpoint, let code):
            "connecting to \(endpoint): \(Self.words(code))"
        case .unknownPeer: "the connection has ended"
        case .wouldBlock: "the other's queue is full"
        case .tooManyFrames(let limit): "more than \(limit) frames"
        case .tooFewFrames(let expected): "fewer than \(expected) frames"
        case .tooManyBytes(let limit): "more than \(limit) bytes"
        case .unsoundMemory(let reason): reason
        case .invalidOption(let name, let code): "option \(name): \(Self.words(code))"
        case .system(let call, let code): "\(call): \(Self.words(code))"
        case .refused(let error): "\(error)"
        }
    }

    private static func words(_ code: Int32) -> String { String(cString: zmq_strerror(code)) }
}
