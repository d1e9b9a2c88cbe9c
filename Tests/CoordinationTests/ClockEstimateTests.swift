import Coordination
import FuzzKit
import Testing
import Wire

/// Offsets between two clocks, and how far they may be wrong.
@Suite struct ClockEstimateTests {
    /// A worker's clock: nanoseconds ahead of the coordinator's, and parts in a million too fast.
    struct Clock {
        var ahead: Int64
        var drift: Int64

        func shows(at now: Int64) -> Int64 { now + ahead + now * drift / 1_000_000 }
    }

    /// An order and its answer; all spans in nanoseconds of the coordinator's clock.
    static func exchange(
        _ estimate: inout ClockEstimate, _ clock: Clock, at now: inout Int64, there: Int64,
        work: Int64, back: Int64
    ) {
        let sent = Instant(nanoseconds: now)
        let times = OrderTimes(
            received: clock.shows(at: now + there), sent: clock.shows(at: now + there + work))
        now += there + work + back
        estimate.add(sent: sent, times, received: Instant(nanoseconds: now))
    }

    @Test func `there is no offset before the first answer`() {
        #expect(ClockEstimate().offset(at: Instant(nanoseconds: 5)) == nil)
    }

    @Test func `equal ways give the offset itself`() throws {
        var estimate = ClockEstimate()
        var now: Int64 = 1_000_000_000
        let clock = Clock(ahead: 7_000_000, drift: 0)
        Self.exchange(&estimate, clock, at: &now, there: 200_000, work: 50_000, back: 200_000)
        let offset = try #require(estimate.offset(at: Instant(nanoseconds: now)))
        #expect(offset.nanoseconds == 7_000_000)
        #expect((200_000...201_000).contains(offset.error))
    }

    @Test(arguments: [Int64(-50), 0, 50], [Int64(-3_000_000_000), 0, 999_999_999_999])
    func `the stated error holds for ways of any length and clocks that drift`(
        drift: Int64, ahead: Int64
    ) throws {
        let clock = Clock(ahead: ahead, drift: drift)
        for seed in UInt64(1)...50 {
            var fuzzer = Fuzzer("clocks \(seed)")
            var estimate = ClockEstimate()
            var now: Int64 = 5_000_000_000
            for _ in 0..<40 {
                Self.exchange(
                    &estimate, clock, at: &now,
                    there: Int64(fuzzer.number(0...(fuzzer.chance(20) ? 900_000_000 : 300_000))),
                    work: Int64(
                        fuzzer.number(0...(fuzzer.chance(20) ? 60_000_000_000 : 5_000_000))),
                    back: Int64(fuzzer.number(0...(fuzzer.chance(20) ? 900_000_000 : 300_000))))
                // It is asked later, too.
                now += Int64(fuzzer.number(0...2_000_000_000))
                let offset = try #require(estimate.offset(at: Instant(nanoseconds: now)))
                let truth = clock.shows(at: now) - now
                #expect(
                    abs(offset.nanoseconds - truth) <= offset.error,
                    "seed \(seed): \(offset), it is \(truth)")
            }
        }
    }

    @Test func `of the last answers the one of least delay counts, and is forgotten in time`()
        throws
    {
        var estimate = ClockEstimate()
        var now: Int64 = 1_000_000_000
        let clock = Clock(ahead: 0, drift: 0)
        Self.exchange(&estimate, clock, at: &now, there: 100_000, work: 0, back: 100_000)
        for _ in 0..<7 {
            Self.exchange(&estimate, clock, at: &now, there: 9_000_000, work: 0, back: 1_000_000)
        }
        let good = try #require(estimate.offset(at: Instant(nanoseconds: now)))
        #expect(good.error < 200_000)
        Self.exchange(&estimate, clock, at: &now, there: 9_000_000, work: 0, back: 1_000_000)
        let later = try #require(estimate.offset(at: Instant(nanoseconds: now)))
        #expect((5_000_000...5_100_000).contains(later.error))
        #expect(later.nanoseconds == 4_000_000)
    }

    @Test func `times that no clock shows are left out`() {
        var estimate = ClockEstimate()
        let now = Instant(nanoseconds: 1_000_000)
        estimate.add(sent: now, OrderTimes(received: 0, sent: 500_000), received: now)
        estimate.add(
            sent: now, OrderTimes(received: 0, sent: 0), received: Instant(nanoseconds: 0))
        estimate.add(
            sent: Instant(nanoseconds: 0), OrderTimes(received: 0, sent: WireLimit.nanoseconds),
            received: now)
        #expect(estimate.offset(at: now) == nil)
    }
}
