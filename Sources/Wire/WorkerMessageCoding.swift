extension WorkerMessage {
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        write(to: &writer)
        return Envelope.seal(kind: kind, body: writer.bytes)
    }

    private var kind: UInt8 {
        switch self {
        case .hello: 1
        case .prepared: 2
        case .stateReady: 3
        case .formed: 4
        case .voted: 5
        case .evaluated: 6
        case .heartbeat: 7
        case .slice: 8
        case .sliceTaken: 9
        case .ringBroken: 10
        case .leaving: 11
        case .updated: 12
        case .piece: 13
        case .pieceTaken: 14
        case .captured: 15
        case .tokenTaken: 16
        }
    }

    private func write(to writer: inout ByteWriter) {
        switch self {
        case .hello(let hello): hello.write(to: &writer)
        case .prepared(let holdings): holdings.write(to: &writer)
        case .stateReady(let held, let number):
            held.write(to: &writer)
            writer.put(number)
        case .updated(let held), .captured(let held): held.write(to: &writer)
        case .formed(let generation): generation.write(to: &writer)
        case .voted(let vote): vote.write(to: &writer)
        case .evaluated(let evaluation): evaluation.write(to: &writer)
        case .heartbeat(let heartbeat): heartbeat.write(to: &writer)
        case .slice(let slice): slice.write(to: &writer)
        case .sliceTaken(let step, let position):
            writer.put(UInt64(step))
            writer.put(UInt64(position))
        case .ringBroken(let generation, let fault):
            generation.write(to: &writer)
            fault.write(to: &writer)
        case .leaving(let reason): writer.put(clipped: reason)
        case .piece(let piece): piece.write(to: &writer)
        case .pieceTaken(let offset): writer.put(UInt64(offset))
        case .tokenTaken: break
        }
    }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) {
        var (kind, reader) = try Envelope.open(bytes)
        switch kind {
        case 1: self = .hello(try Hello(from: &reader))
        case 2: self = .prepared(try Holdings(from: &reader))
        case 3:
            self = .stateReady(
                try HeldState(from: &reader), number: try reader.integer("number"))
        case 4: self = .formed(try Generation(from: &reader))
        case 5: self = .voted(try Vote(from: &reader))
        case 6: self = .evaluated(try Evaluation(from: &reader))
        case 7: self = .heartbeat(try Heartbeat(from: &reader))
        case 8: self = .slice(try StateSlice(from: &reader))
        case 9:
            self = .sliceTaken(
                step: try reader.count("step", limit: WireLimit.steps),
                position: try reader.count("position", limit: WireLimit.elements))
        case 10:
            self = .ringBroken(
                try Generation(from: &reader), try RingFault(from: &reader))
        case 11: self = .leaving(reason: try reader.text("reason", limit: WireLimit.text))
        case 12: self = .updated(try HeldState(from: &reader))
        case 13: self = .piece(try StatePiece(from: &reader))
        case 15: self = .captured(try HeldState(from: &reader))
        case 16: self = .tokenTaken
        case 14:
            self = .pieceTaken(offset: try reader.count("offset", limit: WireLimit.elements))
        default: throw .unknownValue(field: "kind", value: Int(kind))
        }
        try reader.end()
    }
}

extension Hello: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(software)
        address.write(to: &writer)
        writer.put(key)
        writer.put(UInt64(processID))
        writer.put(instance)
        writer.put(UInt32(threads))
        writer.put(kernel)
        probe.write(to: &writer)
        writer.put(run != nil)
        writer.put(run ?? 0)
        writer.put(epoch)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let software = try reader.text("software", limit: WireLimit.text)
        let address = try PeerAddress(from: &reader)
        let key = try reader.key("key")
        let processID = try reader.count("process id", limit: Int(Int32.max))
        let instance = try reader.integer("instance", as: UInt64.self)
        let threads = Int(try reader.integer("threads", as: UInt32.self))
        let kernel = try reader.text("kernel", limit: WireLimit.text)
        let probe = try WireDigest(from: &reader)
        let hasRun = try reader.bool("has run")
        let run = try reader.integer("run", as: UInt64.self)
        self.init(
            software: software, address: address, key: key, processID: processID,
            instance: instance, threads: threads, kernel: kernel, probe: probe,
            run: hasRun ? run : nil,
            epoch: try reader.integer("epoch"))
    }
}

extension FoldedStep: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(UInt64(step))
        total.write(to: &writer)
        state.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            step: try reader.count("step", limit: WireLimit.steps),
            total: try WireDigest(from: &reader), state: try WireDigest(from: &reader))
    }
}

extension Vote: WireCodable {
    func write(to writer: inout ByteWriter) {
        generation.write(to: &writer)
        writer.put(UInt64(step))
        total.write(to: &writer)
        state.write(to: &writer)
        writer.put(squaredNorm)
        writer.put(nonFiniteShards.map { Int32(bitPattern: $0) })
        writer.put(each: reports)
        for value in [computeSeconds, waitSeconds, foldSeconds, linkRate, linkDelay] {
            writer.put(value)
        }
        writer.put(layerNorms)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            generation: try Generation(from: &reader),
            step: try reader.count("step", limit: WireLimit.steps),
            total: try WireDigest(from: &reader),
            state: try WireDigest(from: &reader),
            squaredNorm: try reader.double("squared norm"),
            nonFiniteShards: try reader.int32s("shards", limit: WireLimit.shards)
                .map { UInt32(bitPattern: $0) },
            reports: try reader.each("reports", limit: WireLimit.shards, stride: 32),
            computeSeconds: try reader.seconds("seconds"),
            waitSeconds: try reader.seconds("seconds"),
            foldSeconds: try reader.seconds("seconds"),
            linkRate: try reader.rate("link"), linkDelay: try reader.seconds("seconds"),
            layerNorms: try reader.doubles("layers", limit: WireLimit.layers))
    }
}

extension Evaluation: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(UInt64(step))
        writer.put(UInt64(batch))
        writer.put(each: reports)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            step: try reader.count("step", limit: WireLimit.steps),
            batch: try reader.count("batch", limit: WireLimit.steps),
            reports: try reader.each("reports", limit: WireLimit.shards, stride: 32))
    }
}

extension Heartbeat: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(phase.rawValue)
        writer.put(UInt64(step))
        writer.put(progress)
        writer.put(UInt32(slice))
        writer.put(UInt32(slices))
        writer.put(clipped: waitingFor)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            phase: try reader.value("phase"),
            step: try reader.count("step", limit: WireLimit.steps),
            progress: try reader.integer("progress"),
            slice: Int(try reader.integer("slice", as: UInt32.self)),
            slices: Int(try reader.integer("slices", as: UInt32.self)),
            waitingFor: try reader.text("waiting for", limit: WireLimit.text))
    }
}

extension StateSlice: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(UInt64(step))
        writer.put(UInt64(adamCount))
        writer.put(section.rawValue)
        writer.put(UInt64(offset))
        writer.put(bytes)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            step: try reader.count("step", limit: WireLimit.steps),
            adamCount: try reader.count("updates", limit: WireLimit.steps),
            section: try reader.value("section"),
            offset: try reader.count("offset", limit: WireLimit.elements),
            bytes: try reader.content("slice", limit: WireLimit.sliceBytes))
        guard bytes.count % 4 == 0 else {
            throw .unknownValue(field: "slice", value: bytes.count)
        }
    }
}
