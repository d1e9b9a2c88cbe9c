import CZeroMQ

/// A socket that connects to one other, in both directions, in order.
package struct DealerSocket: ~Copyable {
    /// The socket below, for what ROUTER and DEALER have in common.
    package let base: Socket

    /// Makes a socket that neither listens nor connects yet.
    ///
    /// - Throws: `.system` when there are no sockets left, `.invalidOption`.
    package init(_ context: Context, _ options: SocketOptions = .init()) throws(MessagingError) {
        base = try Socket(context, type: ZMQ_DEALER, options)
    }

    /// Listens at an endpoint and returns it; a wildcard port is replaced by the real one.
    ///
    /// - Throws: `.addressInUse`, `.invalidEndpoint`, `.cannotBind`.
    package func bind(_ endpoint: String) throws(MessagingError) -> String {
        try base.bind(endpoint)
    }

    /// Secures whatever is bound or connected from here on.
    package func secure(_ security: SocketOptions.Security) throws(MessagingError) {
        try security.apply(to: base.handle)
    }

    /// Starts to connect; libzmq keeps trying until the socket is closed.
    ///
    /// - Throws: `.invalidEndpoint`, `.cannotConnect`.
    package func connect(_ endpoint: String) throws(MessagingError) {
        try base.connect(endpoint)
    }

    /// The next message of one payload frame, nil if none is there.
    package func receive() throws(MessagingError) -> [UInt8]? {
        let payload = Message()
        return try receive(payload: payload) ? payload.bytes : nil
    }

    /// The same into a frame that is used again: no copy, no allocation.
    package func receive(payload: Message) throws(MessagingError) -> Bool {
        guard try base.receive(into: payload) else { return false }
        try base.checkLast(payload)
        return true
    }

    /// The next message with all its frames, as many as the options allow.
    package func receiveFrames() throws(MessagingError) -> [[UInt8]]? {
        let first = Message()
        guard try base.receive(into: first) else { return nil }
        return [first.bytes] + (try base.receiveRest(after: first))
    }

    /// Queues one payload frame; false if the queue is full or, with `immediate`, nobody is there.
    package func send(_ payload: [UInt8]) throws(MessagingError) -> Bool {
        try base.send(payload, more: false) == .sent
    }

    /// Hands a frame on without a copy; it is empty afterwards, and untouched if false.
    package func send(_ message: Message) throws(MessagingError) -> Bool {
        try base.send(message)
    }

    /// Queues one payload frame, waiting for room until the deadline.
    ///
    /// - Throws: `.wouldBlock` when there was none.
    package func send(
        _ payload: [UInt8], until deadline: ContinuousClock.Instant
    ) throws(MessagingError) {
        var poller = Poller()
        poller.add(self, for: .writable)
        while try !send(payload) {
            guard try poller.wait(until: deadline) else { throw .wouldBlock }
        }
    }
}
