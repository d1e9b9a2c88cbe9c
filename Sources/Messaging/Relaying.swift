/// Messages of two payload frames, an address and what is to be passed on.
extension RouterSocket {
    /// A message that has come.
    package struct Mail {
        /// The sender's identity, connection and key.
        package let sender: Sender
        /// The payload, or the address of what is in `passed`.
        package let payload: [UInt8]
        /// Whether `payload` is an address, and a second frame lies in `passed`.
        package let isAddressed: Bool
    }

    /// The next message of one payload frame, or of two, of which the second goes into `passed`.
    ///
    /// - Throws: `.tooManyFrames`, `.tooManyBytes`, `.tooFewFrames` for that message alone.
    package func receiveMail(passed: Message) throws(MessagingError) -> Mail? {
        let identity = Message()
        let payload = Message()
        guard try base.receive(into: identity) else { return nil }
        guard identity.hasMore, try base.receive(into: payload) else {
            throw .tooFewFrames(expected: 1)
        }
        let sender = Sender(
            identity: identity.bytes, connection: payload.connection, key: payload.user)
        guard payload.hasMore else {
            try base.checkLast(payload)
            return Mail(sender: sender, payload: payload.bytes, isAddressed: false)
        }
        guard payload.count <= 255 else {
            try base.drain(after: payload)
            throw .tooManyFrames(limit: 1)
        }
        guard try base.receive(into: passed) else { throw .tooFewFrames(expected: 2) }
        try base.checkLast(passed)
        return Mail(sender: sender, payload: payload.bytes, isAddressed: true)
    }

    /// Hands a frame on without a copy, behind an address; it is empty afterwards.
    package func send(
        to identity: [UInt8], address: [UInt8], _ message: Message
    ) throws(MessagingError) {
        try open(identity)
        guard try base.send(address, more: true) == .sent, try base.send(message) else {
            throw .wouldBlock
        }
    }
}

extension DealerSocket {
    /// Queues a frame behind an address without a copy; it is untouched if false.
    package func send(address: [UInt8], _ message: Message) throws(MessagingError) -> Bool {
        guard try base.send(address, more: true) == .sent else { return false }
        return try base.send(message)
    }

    /// Queues an address and a payload; false if the queue is full or nobody is there.
    package func send(address: [UInt8], _ bytes: [UInt8]) throws(MessagingError) -> Bool {
        guard try base.send(address, more: true) == .sent else { return false }
        return try base.send(bytes, more: false) == .sent
    }

    /// The next message of an address and a payload; false if none is there.
    package func receive(address: Message, payload: Message) throws(MessagingError) -> Bool {
        guard try base.receive(into: address) else { return false }
        guard address.hasMore, try base.receive(into: payload) else {
            throw .tooFewFrames(expected: 2)
        }
        try base.checkLast(payload)
        return true
    }
}
