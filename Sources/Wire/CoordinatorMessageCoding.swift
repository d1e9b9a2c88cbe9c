extension CoordinatorMessage {
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        write(to: &writer)
        return Envelope.seal(kind: kind, body: writer.bytes)
    }

    private var kind: UInt8 {
        switch self {
        case .welcome: 65
        case .refused: 66
        case .initialise: 67
        case .slice: 68
        case .snapshot: 69
        case .sliceTaken: 70
        case .abandonSnapshot: 71
        case .roster: 72
        case .step: 73
        case .commit: 74
        case .evaluate: 75
        case .heartbeat: 76
        case .finish: 77
        case .sayHello: 78
        case .givePiece: 79
        case .piece: 80
        case .passStep: 81
        case .newState: 82
        case .proven: 83
        case .token: 84
        }
    }

    private func write(to writer: inout ByteWriter) {
        switch self {
        case .welcome(let welcome): welcome.write(to: &writer)
        case .refused(let refusal): refusal.write(to: &writer)
        case .initialise, .heartbeat, .sayHello: break
        case .slice(let slice): slice.write(to: &writer)
        case .snapshot(let step), .abandonSnapshot(let step), .passStep(let step),
            .proven(let step):
            writer.put(UInt64(step))
        case .newState(let number): writer.put(number)
        case .givePiece(let request): request.write(to: &writer)
        case .piece(let piece): piece.write(to: &writer)
        case .sliceTaken(let step, let position):
            writer.put(UInt64(step))
            writer.put(UInt64(position))
        case .roster(let roster): roster.write(to: &writer)
        case .step(let order): order.write(to: &writer)
        case .commit(let commit): commit.write(to: &writer)
        case .evaluate(let order): order.write(to: &writer)
        case .finish(let reason): writer.put(clipped: reason)
        case .token(let token): writer.put(token)
        }
    }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) {
        var (kind, reader) = try Envelope.open(bytes)
        switch kind {
        case 65: self = .welcome(try Welcome(from: &reader))
        case 66: self = .refused(try Refusal(from: &reader))
        case 67: self = .initialise
        case 68: self = .slice(try StateSlice(from: &reader))
        case 69: self = .snapshot(step: try reader.count("step", limit: WireLimit.steps))
        case 70:
            self = .sliceTaken(
                step: try reader.count("step", limit: WireLimit.steps),
                position: try reader.count("position", limit: WireLimit.elements))
        case 71: self = .abandonSnapshot(step: try reader.count("step", limit: WireLimit.steps))
        case 72: self = .roster(try Roster(from: &reader))
        case 73: self = .step(try StepOrder(from: &reader))
        case 74: self = .commit(try Commit(from: &reader))
        case 75: self = .evaluate(try EvaluationOrder(from: &reader))
        case 76: self = .heartbeat
        case 77: self = .finish(reason: try reader.text("reason", limit: WireLimit.text))
        case 78: self = .sayHello
        case 79: self = .givePiece(try PieceRequest(from: &reader))
        case 80: self = .piece(try StatePiece(from: &reader))
        case 84: self = .token(try reader.text("token", limit: WireLimit.text))
        case 83: self = .proven(step: try reader.count("step", limit: WireLimit.steps))
        case 82: self = .newState(number: try reader.integer("number"))
        case 81: self = .passStep(try reader.count("step", limit: WireLimit.steps))
        default: throw .unknownValue(field: "kind", value: Int(kind))
        }
        try reader.end()
    }
}

extension Welcome: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(run)
        writer.put(epoch)
        writer.put(name)
        writer.put(UInt32(peerTimeoutMilliseconds))
        writer.put(configuration)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            run: try reader.integer("run"), epoch: try reader.integer("epoch"),
            name: try reader.text("name", limit: WireLimit.text),
            peerTimeoutMilliseconds: Int(try reader.integer("peer timeout", as: UInt32.self)),
            configuration: try reader.content("configuration", limit: WireLimit.configuration))
        guard peerTimeoutMilliseconds > 0 else {
            throw .unknownValue(field: "peer timeout", value: 0)
        }
    }
}

extension Roster: WireCodable {
    func write(to writer: inout ByteWriter) {
        generation.write(to: &writer)
        writer.put(UInt64(committed))
        writer.put(UInt32(rank))
        writer.put(bounds.map(Int32.init))
        writer.put(UInt32(names.count))
        for name in names { writer.put(name) }
        writer.put(successor != nil)
        successor?.write(to: &writer)
        writer.put(predecessorIsRelayed)
        writer.put(keys != nil)
        keys?.write(to: &writer)
        writer.put(UInt64(chunkBytes))
        writer.put(each: boards)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let generation = try Generation(from: &reader)
        let committed = try reader.count("step", limit: WireLimit.steps)
        let rank = Int(try reader.integer("rank", as: UInt32.self))
        let bounds = try reader.int32s("bounds", limit: WireLimit.members + 1).map(Int.init)
        let count = try reader.length("names", limit: WireLimit.members, stride: 4)
        var names: [String] = []
        for _ in 0..<count { names.append(try reader.text("name", limit: WireLimit.text)) }
        let successor = try reader.bool("has successor") ? try PeerAddress(from: &reader) : nil
        let predecessorIsRelayed = try reader.bool("predecessor is relayed")
        let keys = try reader.bool("has keys") ? try RingKeys(from: &reader) : nil
        self.init(
            generation: generation, committed: committed, rank: rank, bounds: bounds, names: names,
            successor: successor, predecessorIsRelayed: predecessorIsRelayed, keys: keys,
            chunkBytes: try reader.count("chunk", limit: WireLimit.chunkBytes),
            boards: try reader.each(
                "boards", limit: WireLimit.members, stride: MemoryPlace.stride))
        guard count > 0, rank < count, bounds.count == count + 1, bounds[0] == 0,
            zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }),
            bounds[count] <= WireLimit.shards, (count > 1) == (successor != nil),
            boards.isEmpty || boards.count == count
        else { throw .unknownValue(field: "roster", value: rank) }
    }
}

extension RingKeys: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(predecessor)
        writer.put(successor)
        writer.put(encryptsAll)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            predecessor: try reader.key("predecessor's key"),
            successor: try reader.key("successor's key"),
            encryptsAll: try reader.bool("encrypts all"))
        guard !predecessor.isEmpty, !successor.isEmpty else {
            throw .unknownValue(field: "key", value: 0)
        }
    }
}

extension StepOrder: WireCodable {
    func write(to writer: inout ByteWriter) {
        generation.write(to: &writer)
        writer.put(UInt64(step))
        writer.put(learningRate)
        writer.put(UInt64(labels))
        writer.put(each: shards)
        writer.put(measuresLayers)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            generation: try Generation(from: &reader),
            step: try reader.count("step", limit: WireLimit.steps),
            learningRate: try reader.float("learning rate"),
            labels: try reader.count("labels", limit: WireLimit.steps),
            shards: try reader.each("shards", limit: WireLimit.shards, stride: 8),
            measuresLayers: try reader.bool("measures layers"))
    }
}

extension Commit: WireCodable {
    func write(to writer: inout ByteWriter) {
        line.write(to: &writer)
        writer.put(UInt64(durable))
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            try CommittedLine(from: &reader),
            durable: try reader.count("durable step", limit: WireLimit.steps))
    }
}

extension EvaluationOrder: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(UInt64(step))
        writer.put(UInt64(batch))
        writer.put(each: shards)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            step: try reader.count("step", limit: WireLimit.steps),
            batch: try reader.count("batch", limit: WireLimit.steps),
            shards: try reader.each("shards", limit: WireLimit.shards, stride: 8))
    }
}
