import Checkpoint
import Coordination
import Events
import Foundation
import Watching

/// A sentence of the run's log.
struct LogLine: Encodable, Sendable {
    var kind = "log"
    /// Seconds since 1970.
    var time: Double
    var text: String
    var warns: Bool
    /// The worker that it is about, for a mark on its lane.
    var worker: String?
    /// `lost`, `joined`, `recovered`, `saved`; nil for a sentence without a mark.
    var mark: String?

    enum CodingKeys: String, CodingKey {
        case kind = "k"
        case time = "t"
        case text, warns, worker, mark
    }
}

/// A span, with its ends in seconds since 1970.
struct PageSpan: Sendable {
    var span: PhaseSpan
    var base: Double

    var end: Double { base + span.end }

    /// Spans as JSON: an array each, since there are many: worker, phase, step, start, end, error.
    static func json(_ spans: some Sequence<PageSpan>) -> String {
        var names: [String: String] = [:]
        var text = "["
        for one in spans {
            let span = one.span
            let name = span.worker ?? ""
            let quoted = names[name] ?? String(decoding: name.page, as: UTF8.self)
            names[name] = quoted
            if text.utf8.count > 1 { text += "," }
            text += "[\(quoted),\"\(span.phase.rawValue)\",\(span.step),"
            text += "\(micro(one.base + span.start)),\(micro(one.end)),\(micro(span.clockError))]"
        }
        return text + "]"
    }

    /// Seconds to the microsecond.
    private static func micro(_ seconds: Double) -> Double {
        seconds.isFinite ? (seconds * 1e6).rounded() / 1e6 : 0
    }

    /// `{"k":"spans","spans":[…]}`.
    static func message(_ spans: some Sequence<PageSpan>) -> [UInt8] {
        Array("{\"k\":\"spans\",\"spans\":\(json(spans))}".utf8)
    }
}

struct StepMessage: Encodable, Sendable {
    var kind = "step"
    var time: Double
    var step: Int
    var values: [Double?]

    enum CodingKeys: String, CodingKey {
        case kind = "k"
        case time = "t"
        case step, values
    }

    /// In the order of `Column`.
    init(_ step: StepReport, time: Double) {
        self.time = time
        self.step = step.step
        values = Column.allCases.map { column in
            let value =
                switch column {
                case .loss: step.loss
                case .nll: step.negativeLogLikelihood
                case .learningRate: step.learningRate
                case .gradientNorm: step.gradientNorm
                case .tokensPerSecond: step.tokensPerSecond
                case .stepSeconds: step.stepSeconds
                case .computeSeconds: step.computeSeconds
                case .foldSeconds: step.foldSeconds
                case .waitSeconds: step.waitSeconds
                }
            return value.isFinite ? value : nil
        }
    }
}

struct HeldMessage: Encodable, Sendable {
    var kind = "held"
    var held: [RunSeries.HeldOut]

    enum CodingKeys: String, CodingKey {
        case kind = "k"
        case held
    }
}

/// How the run stands, as the page shows it above all else.
struct PictureMessage: Encodable, Sendable, Equatable {
    struct Worker: Encodable, Sendable, Equatable {
        var name: String
        var host: String
        var threads: Int
        var shards: Int
        /// `member`, `learning`, `waiting`, `lost`.
        var state: String
        var lostAt: Double?
    }

    struct Bits: Encodable, Sendable, Equatable {
        var step: Int
        var total: String
        var state: String
        /// Members whose digests were equal, or the step would not count.
        var workers: Int?
    }

    var kind = "picture"
    var verdict: String
    var weight: String
    /// Seconds since 1970.
    var since: Double
    var asOf: Double
    var step: Int
    var steps: Int?
    var secondsLeft: Double?
    var parameters: Int?
    var address: String?
    var checkpoint: SavedCheckpoint?
    var bits: Bits?
    var workers: [Worker]
    var ring: [String]
    /// Share of `metrics.jsonl` that has been read, where that takes long.
    var reading: Double?

    enum CodingKeys: String, CodingKey {
        case kind = "k"
        case verdict, weight, since, asOf, step, steps, secondsLeft, parameters, address
        case checkpoint, bits, workers, ring, reading
    }
}

/// A message without values.
struct PlainMessage: Encodable, Sendable {
    var kind: String
    enum CodingKeys: String, CodingKey { case kind = "k" }
}

/// All that the page needs for its first picture.
struct StartMessage: Encodable, Sendable {
    struct Run: Encodable, Sendable {
        var name: String
        var folder: String
        var steps: Int
    }

    var boot: String
    var seq: Int
    /// This host's clock, in seconds since 1970.
    var now: Double
    var software: String
    var columns: [String]
    var runs: [Run]
    var picture: PictureMessage
    var log: [LogLine]
    var held: [RunSeries.HeldOut]
}

struct TimelineMessage: Encodable, Sendable {
    var log: [LogLine]
}

extension Encodable {
    /// One line of JSON.
    var page: [UInt8] {
        guard let data = try? JSONForm.encoder().encode(self) else { return Array("{}".utf8) }
        return [UInt8](data)
    }

    /// The same of an object, with spans in it under the key `spans`.
    func page(with spans: some Sequence<PageSpan>) -> [UInt8] {
        page.dropLast() + Array(",\"spans\":\(PageSpan.json(spans))}".utf8)
    }
}
