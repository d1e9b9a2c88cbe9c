import Checkpoint
import Coordination

/// One key that says what it is, with its value behind it: `{"step": {…}}`.
extension RunReport: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case prepared, listening, note, step, phases, validated, checkpoint, repaired, dump, ended
        case lost
        case textUnchecked = "text_unchecked"
        case checkpointFailed = "checkpoint_failed"
        case ledgerFailed = "ledger_failed"
        case ledgerRecovered = "ledger_recovered"
        case ledgerNotDurable = "ledger_not_durable"
        case notLinked = "not_linked"
        case workerStarted = "worker_started"
        case workerEnded = "worker_ended"
        case timeIsUp = "time_is_up"
        case turnedAway = "turned_away"
        case nonFinite = "non_finite"
    }

    /// Reads what `encode` has written. Throws `DecodingError`, also where there is not just one key.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        guard let key = values.allKeys.first, values.allKeys.count == 1 else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no single event"))
        }
        func value<Value: Decodable>() throws -> Value {
            try values.decode(Value.self, forKey: key)
        }
        self =
            switch key {
            case .prepared: .prepared(try value())
            case .textUnchecked: .textUnchecked
            case .listening: .listening(try value())
            case .note: .note(try value())
            case .step: .step(try value())
            case .phases: .phases(try value())
            case .validated: .validated(try value())
            case .checkpoint: .checkpoint(try value())
            case .checkpointFailed: .checkpointFailed(try value())
            case .ledgerFailed: .ledgerFailed(try value())
            case .ledgerRecovered: .ledgerRecovered(seconds: try value())
            case .ledgerNotDurable: .ledgerNotDurable(try value())
            case .repaired: .repaired(try value())
            case .notLinked: .notLinked(try value())
            case .workerStarted: .workerStarted(try value())
            case .workerEnded: .workerEnded(try value())
            case .timeIsUp: .timeIsUp(step: try value())
            case .turnedAway: .turnedAway(try value())
            case .nonFinite: .nonFinite(try value())
            case .dump: .dump(try value())
            case .ended: .ended(try value())
            case .lost: .lost(try value())
            }
    }

    /// Writes the one key and its value.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        func put(_ value: some Encodable) throws { try values.encode(value, forKey: key) }
        switch self {
        case .prepared(let value): try put(value)
        case .textUnchecked: try put(true)
        case .listening(let value): try put(value)
        case .note(let value): try put(value)
        case .step(let value): try put(value)
        case .phases(let value): try put(value)
        case .validated(let value): try put(value)
        case .checkpoint(let value): try put(value)
        case .checkpointFailed(let value): try put(value)
        case .ledgerFailed(let value): try put(value)
        case .ledgerRecovered(let value): try put(value)
        case .ledgerNotDurable(let value): try put(value)
        case .repaired(let value): try put(value)
        case .notLinked(let value): try put(value)
        case .workerStarted(let value): try put(value)
        case .workerEnded(let value): try put(value)
        case .timeIsUp(let value): try put(value)
        case .turnedAway(let value): try put(value)
        case .nonFinite(let value): try put(value)
        case .dump(let value): try put(value)
        case .ended(let value): try put(value)
        case .lost(let value): try put(value)
        }
    }
}

extension RunReport {
    /// The keys of all kinds.
    package static var kinds: [String] { CodingKeys.allCases.map(\.rawValue) }

    /// The key of this one.
    package var kind: String { key.rawValue }

    private var key: CodingKeys {
        switch self {
        case .prepared: .prepared
        case .textUnchecked: .textUnchecked
        case .listening: .listening
        case .note: .note
        case .step: .step
        case .phases: .phases
        case .validated: .validated
        case .checkpoint: .checkpoint
        case .checkpointFailed: .checkpointFailed
        case .ledgerFailed: .ledgerFailed
        case .ledgerRecovered: .ledgerRecovered
        case .ledgerNotDurable: .ledgerNotDurable
        case .repaired: .repaired
        case .notLinked: .notLinked
        case .workerStarted: .workerStarted
        case .workerEnded: .workerEnded
        case .timeIsUp: .timeIsUp
        case .turnedAway: .turnedAway
        case .nonFinite: .nonFinite
        case .dump: .dump
        case .ended: .ended
        case .lost: .lost
        }
    }
}
