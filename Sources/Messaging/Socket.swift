import CZeroMQ
import Glibc

/// The common part of ROUTER and DEALER sockets. It belongs to the thread that made it.
package struct Socket: ~Copyable {
    let handle: Handle
    private let options: SocketOptions

    init(_ context: Context, type: Int32, _ options: SocketOptions) throws(MessagingError) {
        let handle = try Handle(context, type: type)
        try options.apply(to: handle, router: type == ZMQ_ROUTER)
        self.handle = handle
        self.options = options
    }

    /// Binds and says where: a wildcard port is replaced by the real one.
    package func bind(_ endpoint: String) throws(MessagingError) -> String {
        try Self.checkPort(endpoint)
        guard zmq_bind(handle.pointer, endpoint) == 0 else {
            switch zmq_errno() {
            case EADDRINUSE: throw .addressInUse(endpoint: endpoint)
            case let code where Self.isBadEndpoint(code):
                throw .invalidEndpoint(endpoint, code: code)
            case let code: throw .cannotBind(endpoint: endpoint, code: code)
            }
        }
        var text = [CChar](repeating: 0, count: 1024)
        var count = text.count
        guard zmq_getsockopt(handle.pointer, ZMQ_LAST_ENDPOINT, &text, &count) == 0 else {
            throw .system(call: "zmq_getsockopt(LAST_ENDPOINT)", code: zmq_errno())
        }
        return String(
            decoding: text[..<max(0, count - 1)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Listens no more at an endpoint that `bind` returned.
    package func unbind(_ endpoint: String) throws(MessagingError) {
        guard zmq_unbind(handle.pointer, endpoint) == 0 else {
            throw .invalidEndpoint(endpoint, code: zmq_errno())
        }
    }

    /// Starts to connect; libzmq keeps trying until the socket is closed.
    package func connect(_ endpoint: String) throws(MessagingError) {
        try Self.checkPort(endpoint)
        guard zmq_connect(handle.pointer, endpoint) == 0 else {
            let code = zmq_errno()
            if Self.isBadEndpoint(code) { throw .invalidEndpoint(endpoint, code: code) }
            throw .cannotConnect(endpoint: endpoint, code: code)
        }
    }

    /// libzmq takes port 99999 modulo 65536 without a word.
    private static func checkPort(_ endpoint: String) throws(MessagingError) {
        guard endpoint.hasPrefix("tcp://") else { return }
        guard let port = endpoint.split(separator: ":").last, port == "*" || UInt16(port) != nil
        else { throw .invalidEndpoint(endpoint, code: EINVAL) }
    }

    private static func isBadEndpoint(_ code: Int32) -> Bool {
        [EINVAL, EPROTONOSUPPORT, ENODEV, EADDRNOTAVAIL, ENAMETOOLONG, zmqIncompatible]
            .contains(code)
    }

    private static let zmqIncompatible = ZMQ_HAUSNUMERO + 52

    // MARK: Receiving

    /// The next frame, if one is there.
    func receive(into message: Message) throws(MessagingError) -> Bool {
        while zmq_msg_recv(message.pointer, handle.pointer, ZMQ_DONTWAIT) < 0 {
            let code = zmq_errno()
            if code == EAGAIN { return false }
            guard code == EINTR else { throw .system(call: "zmq_msg_recv", code: code) }
        }
        return true
    }

    /// Frames that follow in a message which has begun: the rest is there, libzmq promises that.
    func receiveRest(after first: Message) throws(MessagingError) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var size = first.count
        var message = first
        while message.hasMore {
            message = Message()
            guard try receive(into: message) else {
                throw .tooFewFrames(expected: frames.count + 1)
            }
            size += message.count
            guard frames.count < options.limits.frames, size <= options.limits.messageBytes else {
                let excess = frames.count >= options.limits.frames
                try drain(after: message)
                throw excess
                    ? .tooManyFrames(limit: options.limits.frames)
                    : .tooManyBytes(limit: options.limits.messageBytes)
            }
            frames.append(message.bytes)
        }
        return frames
    }

    /// Reads a message to its end, keeping nothing.
    func drain(after message: Message) throws(MessagingError) {
        while message.hasMore {
            guard try receive(into: message) else { return }
        }
    }

    /// Checks the one payload frame of a message against the limits.
    func checkLast(_ message: Message) throws(MessagingError) {
        if message.hasMore {
            try drain(after: message)
            throw .tooManyFrames(limit: 1)
        }
        guard message.count <= options.limits.messageBytes else {
            throw .tooManyBytes(limit: options.limits.messageBytes)
        }
    }

    // MARK: Sending

    /// Sends one frame, which is empty afterwards; false if the queue is full or nobody is there.
    func send(_ message: Message, more: Bool = false) throws(MessagingError) -> Bool {
        let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
        while zmq_msg_send(message.pointer, handle.pointer, flags) < 0 {
            let code = zmq_errno()
            if code == EAGAIN { return false }
            guard code == EINTR else { throw .system(call: "zmq_msg_send", code: code) }
        }
        return true
    }

    /// Copies bytes into one frame and sends it.
    func send(_ bytes: [UInt8], more: Bool) throws(MessagingError) -> SendResult {
        let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
        while zmq_send(handle.pointer, bytes, bytes.count, flags) < 0 {
            switch zmq_errno() {
            case EAGAIN: return .full
            case EHOSTUNREACH: return .nobody
            case EINTR: continue
            case let code: throw .system(call: "zmq_send", code: code)
            }
        }
        return .sent
    }

    enum SendResult { case sent, full, nobody }
}
