import CZeroMQ

/// A socket that many connect to; each message says whom it is from, each answer whom it is for.
package struct RouterSocket: ~Copyable {
    /// The socket below, for what ROUTER and DEALER have in common.
    package let base: Socket

    /// Makes a socket that does not listen yet.
    ///
    /// - Throws: `.system` when there are no sockets left, `.invalidOption`.
    package init(_ context: Context, _ options: SocketOptions = .init()) throws(MessagingError) {
        base = try Socket(context, type: ZMQ_ROUTER, options)
    }

    /// Listens at an endpoint and returns it; a wildcard port is replaced by the real one.
    ///
    /// - Throws: `.addressInUse`, `.invalidEndpoint`, `.cannotBind`.
    package func bind(_ endpoint: String) throws(MessagingError) -> String {
        try base.bind(endpoint)
    }

    /// Secures whatever is bound from here on; an endpoint that is bound already stays as it is.
    package func secure(_ security: SocketOptions.Security) throws(MessagingError) {
        try security.apply(to: base.handle)
    }

    // MARK: Receiving

    /// The next message of one payload frame, nil if none is there.
    ///
    /// - Returns: who sent it, the descriptor of the connection, the payload.
    /// - Throws: `.tooManyFrames`, `.tooManyBytes`, `.tooFewFrames` for that message alone, which
    ///   is gone; the socket goes on.
    package func receive() throws(MessagingError)
        -> (identity: [UInt8], connection: Int32, payload: [UInt8])?
    {
        let identity = Message()
        let payload = Message()
        guard try receive(identity: identity, payload: payload) else { return nil }
        return (identity.bytes, payload.connection, payload.bytes)
    }

    /// The same, with the key whose owner sent it; nil for a plain connection.
    package func receiveKnown() throws(MessagingError) -> (sender: Sender, payload: [UInt8])? {
        let identity = Message()
        let payload = Message()
        guard try receive(identity: identity, payload: payload) else { return nil }
        let sender = Sender(
            identity: identity.bytes, connection: payload.connection, key: payload.user)
        return (sender, payload.bytes)
    }

    /// The sender of a message.
    package struct Sender: Hashable, Sendable {
        /// The name of the connection: 1 to 255 bytes, given by the other side or drawn by libzmq.
        package var identity: [UInt8]
        /// Descriptor of the connection.
        package var connection: Int32
        /// The key that the gate let in; nil for a plain connection.
        package var key: PublicKey?

        /// Makes a sender of its parts.
        package init(identity: [UInt8], connection: Int32, key: PublicKey?) {
            self.identity = identity
            self.connection = connection
            self.key = key
        }
    }

    /// The same into frames that are used again: no copy, no allocation.
    package func receive(
        identity: Message, payload: Message
    ) throws(MessagingError) -> Bool {
        guard try base.receive(into: identity) else { return false }
        guard identity.hasMore, try base.receive(into: payload) else {
            throw .tooFewFrames(expected: 1)
        }
        try base.checkLast(payload)
        return true
    }

    /// The next message with all its payload frames, as many as the options allow.
    package func receiveFrames() throws(MessagingError)
        -> (identity: [UInt8], frames: [[UInt8]])?
    {
        let identity = Message()
        guard try base.receive(into: identity) else { return nil }
        return (identity.bytes, try base.receiveRest(after: identity))
    }

    // MARK: Sending

    /// Queues one payload frame for a peer without waiting.
    ///
    /// - Throws: `.unknownPeer` if no connection bears the identity, `.wouldBlock` if its queue is
    ///   full. Nothing was sent then. A peer that left becomes unknown when `receive` has read what
    ///   it had sent to the end (nil); until then its queue may just fill.
    package func send(to identity: [UInt8], _ payload: [UInt8]) throws(MessagingError) {
        try send(to: identity, frames: [payload])
    }

    /// Queues a message of one or more payload frames for a peer without waiting.
    ///
    /// - Throws: `.unknownPeer`, `.wouldBlock`, as for one frame.
    package func send(to identity: [UInt8], frames: [[UInt8]]) throws(MessagingError) {
        precondition(!frames.isEmpty, "a message without a frame")
        try open(identity)
        for (index, frame) in frames.enumerated() {
            guard try base.send(frame, more: index < frames.count - 1) == .sent else {
                throw .wouldBlock
            }
        }
    }

    /// Hands a frame on without a copy; it is empty afterwards.
    package func send(to identity: [UInt8], _ message: Message) throws(MessagingError) {
        try open(identity)
        guard try base.send(message) else { throw .wouldBlock }
    }

    func open(_ identity: [UInt8]) throws(MessagingError) {
        switch try base.send(identity, more: true) {
        case .sent: return
        case .full: throw .wouldBlock
        case .nobody: throw .unknownPeer(identity: identity)
        }
    }
}
