import Checkpoint
import Coordination
import Foundation

/// Something that happened in a run, and when.
///
/// As JSON an object of four keys: `number`, `time`, `clock`, and what happened (`RunReport`).
package struct RunEvent: Sendable {
    /// Counted from 1 in a coordinator's life; observers that lost some see a gap.
    package var number: Int
    /// Seconds since 1970, by the host's clock, which may jump.
    package var time: Double
    /// Seconds on the coordinator's clock, as in `PhaseSpan`.
    package var clock: Double
    /// What happened.
    package var report: RunReport

    /// Makes an event of all its parts.
    package init(number: Int, time: Double, clock: Double, _ report: RunReport) {
        self.number = number
        self.time = time
        self.clock = clock
        self.report = report
    }
}

extension RunEvent: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable { case number, time, clock }

    /// Keys of what happened beside the others would confuse `RunReport`: it looks at its own alone.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            number: try values.decode(Int.self, forKey: .number),
            time: try values.decode(Double.self, forKey: .time),
            clock: try values.decode(Double.self, forKey: .clock),
            try RunReport(from: decoder))
    }

    /// Writes the three keys, and that of what happened beside them.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(number, forKey: .number)
        try values.encode(time, forKey: .time)
        try values.encode(clock, forKey: .clock)
        try report.encode(to: encoder)
    }
}

extension RunEvent {
    /// One line of JSON without its newline; keys sorted, infinities and NaN as strings.
    package func json() throws -> Data { try JSONForm.encoder().encode(self) }

    /// What `json` has written. Throws `DecodingError`.
    package init(json: Data) throws {
        self = try JSONForm.decoder().decode(RunEvent.self, from: json)
    }
}
