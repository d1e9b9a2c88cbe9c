import Testing
import Wire

@Suite struct CodingTests {
    @Test func `every worker message comes back as it was sent`() throws {
        for message in SampleMessages.ofWorker {
            #expect(try WorkerMessage(decoding: message.encoded) == message)
        }
    }

    @Test func `every coordinator message comes back as it was sent`() throws {
        for message in SampleMessages.ofCoordinator {
            #expect(try CoordinatorMessage(decoding: message.encoded) == message)
        }
    }

    @Test func `every message for doctor comes back as it was sent`() throws {
        for message in SampleMessages.ofDoctor {
            #expect(try DoctorMessage(decoding: message.encoded) == message)
            #expect(DoctorMessage.isOne(message.encoded))
            #expect(!LinkMessage.isOne(message.encoded))
        }
        for message in SampleMessages.ofLinks {
            #expect(try LinkMessage(decoding: message.encoded) == message)
            #expect(LinkMessage.isOne(message.encoded))
            #expect(!DoctorMessage.isOne(message.encoded))
        }
        for message in SampleMessages.ofWorker.map(\.encoded)
            + SampleMessages.ofCoordinator.map(\.encoded) + SampleMessages.ofStatus.map(\.encoded)
        {
            #expect(!DoctorMessage.isOne(message) && !LinkMessage.isOne(message))
        }
    }

    @Test func `not a number travels bit for bit`() throws {
        let odd = Double(bitPattern: 0x7FF8_0000_0000_1234)
        let report = ShardReport(
            shard: 0, smoothed: odd, negativeLogLikelihood: .nan, labels: 1)
        let bytes = WorkerMessage.evaluated(
            Evaluation(step: 1, batch: 0, reports: [report])
        ).encoded
        guard case .evaluated(let evaluation) = try WorkerMessage(decoding: bytes) else {
            Issue.record("another kind")
            return
        }
        #expect(evaluation.reports[0].smoothed.bitPattern == odd.bitPattern)
    }

    @Test func `a message cut short or too long is refused`() {
        let messages =
            SampleMessages.ofWorker.map(\.encoded) + SampleMessages.ofCoordinator.map(\.encoded)
        for bytes in messages {
            for length in 0..<bytes.count {
                #expect(throws: WireError.self) { try decode(Array(bytes[..<length])) }
            }
            #expect(throws: WireError.self) { try decode(bytes + [0]) }
        }
    }

    @Test func `a body cut short or too long is refused though its checksum is right`() {
        let messages =
            SampleMessages.ofWorker.map(\.encoded) + SampleMessages.ofCoordinator.map(\.encoded)
        for bytes in messages {
            let body = Array(bytes[Envelope.headerSize...])
            for length in 0..<body.count {
                let cut = Envelope.seal(kind: bytes[6], body: Array(body[..<length]))
                #expect(throws: WireError.self) { try decode(cut) }
            }
            #expect(throws: WireError.trailingBytes(1)) {
                try decode(Envelope.seal(kind: bytes[6], body: body + [0]))
            }
        }
    }

    @Test func `every flipped bit is noticed`() {
        let messages =
            SampleMessages.ofWorker.map(\.encoded) + SampleMessages.ofCoordinator.map(\.encoded)
        for bytes in messages {
            for bit in 0..<8 * bytes.count {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: WireError.self) { try decode(damaged) }
            }
        }
    }

    @Test func `another protocol version is recognised as such, whatever follows`() {
        var bytes = CoordinatorMessage.heartbeat.encoded
        bytes[4] = UInt8(protocolVersion + 1)
        let expected = WireError.otherProtocol(theirs: protocolVersion + 1, ours: protocolVersion)
        #expect(throws: expected) { try CoordinatorMessage(decoding: bytes) }
        #expect(throws: expected) { try WorkerMessage(decoding: bytes) }
        #expect(throws: expected) { try WorkerMessage(decoding: Array(bytes[..<6])) }
    }

    @Test func `what is no dtrain message is foreign`() {
        #expect(throws: WireError.foreignMagic) {
            try WorkerMessage(decoding: Array("GET / HTTP/1.1\r\n\r\n".utf8))
        }
    }

    @Test func `neither side takes the other's messages for its own`() {
        for message in SampleMessages.ofWorker {
            #expect(throws: WireError.self) { try CoordinatorMessage(decoding: message.encoded) }
        }
        for message in SampleMessages.ofCoordinator {
            #expect(throws: WireError.self) { try WorkerMessage(decoding: message.encoded) }
        }
    }

    @Test func `prose from elsewhere is cut so that the other side takes it`() throws {
        let reason = String(repeating: "é", count: WireLimit.text)
        for prefix in ["", "a"] {
            let bytes = WorkerMessage.leaving(reason: prefix + reason).encoded
            guard case .leaving(let read) = try WorkerMessage(decoding: bytes) else {
                Issue.record("another kind")
                return
            }
            #expect(read.hasPrefix(prefix + "éé"))
            #expect(read.utf8.count <= WireLimit.text)
        }
    }

    /// Decodes as the side that knows the kind.
    private func decode(_ bytes: [UInt8]) throws(WireError) {
        if bytes.count > 6 && bytes[6] >= 64 {
            _ = try CoordinatorMessage(decoding: bytes)
        } else {
            _ = try WorkerMessage(decoding: bytes)
        }
    }
}
