import Parameters
import Ring
import Testing
import Wire

@Suite struct FoldTests {
    private func setting(
        _ workers: Int, _ schedule: Schedule, _ generator: inout SeededGenerator
    ) -> MemoryRing.Setting {
        MemoryRing.Setting(
            workers: workers, shards: workers + Int.random(in: 0...5, using: &generator),
            count: Int.random(in: 1...200, using: &generator),
            chunkElements: Int.random(in: 1...60, using: &generator),
            window: Int.random(in: 1...4, using: &generator), schedule: schedule,
            wire: WireFormat.allCases.randomElement(using: &generator)!)
    }

    /// Moves until nothing can; more than this many moves would be no progress.
    private func run(_ ring: MemoryRing) {
        let plan = ring.members[0].plan
        let bound = 40 * plan.workers * (plan.chunks + 4) + 200 * plan.workers
        for _ in 0..<bound where !ring.move() { return }
        Issue.record("still moving after \(bound) moves: \(ring.setting)")
    }

    @Test(arguments: Schedule.allCases, 1...9)
    func `any number of workers, chunk size and credit gives the bits of one process`(
        schedule: Schedule, workers: Int
    ) throws {
        var generator = SeededGenerator(seed: UInt64(workers) << 8)
        for seed in 0..<30 as Range<UInt64> {
            let setting = setting(workers, schedule, &generator)
            let gradients = gradients(setting.shards, setting.count, seed: seed)
            let lanes = UInt64.random(in: 0 ... .max, using: &generator)
            let ring = try MemoryRing(setting, seed: seed, gradients: gradients) {
                // A third in frames, a third by memory, a third mixed.
                seed % 3 == 0 ? false : seed % 3 == 1 ? true : lanes >> UInt64($0) & 1 == 1
            }
            run(ring)
            for member in ring.members {
                #expect(member.isComplete && member.fault == nil && member.drops.isEmpty)
                let bits = member.total.floats().map(\.bitPattern)
                let rounding = MemoryMember.rounding(setting.wire, 1)
                #expect(
                    bits == expectedTotal(gradients, member.plan, rounding),
                    "\(setting) seed \(seed)")
            }
        }
    }

    @Test(arguments: WireFormat.allCases, [Schedule.fold, .inPlace])
    func `the ordered fold is the sum of the shards in order, whoever owns or adds them`(
        wire: WireFormat, schedule: Schedule
    ) throws {
        let gradients = gradients(9, 300, seed: 1)
        let plan = try RingPlan(
            rank: 0, shardBounds: [0, 9], count: 300, chunkElements: 300, collective: .fold)
        let alone = expectedTotal(gradients, plan, MemoryMember.rounding(wire, 1))
        for workers in 1...9 {
            let ring = try MemoryRing(
                .init(
                    workers: workers, shards: 9, count: 300, chunkElements: 7, window: 1,
                    schedule: schedule, wire: wire), seed: UInt64(workers), gradients: gradients)
            run(ring)
            for member in ring.members {
                #expect(member.total.floats().map(\.bitPattern) == alone)
            }
        }
    }

    @Test(arguments: Schedule.allCases)
    func `a neighbour may be a step ahead, within its credits`(schedule: Schedule) throws {
        for seed in 0..<30 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let setting = setting(Int(2 + seed % 4), schedule, &generator)
            let steps = (1...4).map { gradients(setting.shards, setting.count, seed: $0) }
            let ring = try MemoryRing(setting, seed: seed, gradients: steps[0]) {
                (seed + UInt64($0)) % 3 == 0
            }
            var done = 0
            while done < setting.workers * steps.count {
                try #require(ring.move(), "stuck: \(setting) seed \(seed)")
                for member in ring.members where member.isComplete && member.localLeft <= 0 {
                    let step = Int(member.step)
                    if member.localLeft == 0 {
                        let bits = member.total.floats().map(\.bitPattern)
                        let rounding = MemoryMember.rounding(setting.wire, member.step)
                        #expect(bits == expectedTotal(steps[step - 1], member.plan, rounding))
                        done += 1
                        member.localLeft = -1
                    }
                    // The total is written again once the successor has read it.
                    guard step < steps.count, member.folds.isClear else { continue }
                    member.begin(step: UInt64(step + 1), of: steps[step])
                }
            }
            for member in ring.members {
                #expect(member.mostEarly <= 2 * setting.window && member.fault == nil)
            }
        }
    }

    @Test(arguments: Schedule.allCases)
    func `repeated and stale frames are dropped and counted, and change nothing`(
        schedule: Schedule
    ) throws {
        var duplicates = 0
        for seed in 0..<30 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let setting = setting(Int(2 + seed % 5), schedule, &generator)
            let gradients = gradients(setting.shards, setting.count, seed: seed)
            let ring = try MemoryRing(setting, seed: seed, gradients: gradients)
            ring.disturb = { frame, generator in
                var stale = frame
                stale.withUnsafeMutableBytes { bytes in
                    guard var header = try? FrameHeader(UnsafeRawBufferPointer(bytes)) else {
                        return
                    }
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: header.generation.counter -= 1
                    case 1: header.run += 1
                    default: header.step -= 1
                    }
                    header.seal(bytes)
                }
                return [frame, stale, frame]
            }
            run(ring)
            for member in ring.members {
                #expect(member.isComplete && member.fault == nil)
                #expect(
                    member.total.floats().map(\.bitPattern)
                        == expectedTotal(
                            gradients, member.plan, MemoryMember.rounding(setting.wire, 1)))
            }
            let drops = ring.members.reduce(into: [:]) { $0.merge($1.drops) { $0 + $1 } }
            duplicates += drops[.duplicate, default: 0]
        }
        #expect(duplicates > 0)
    }

    @Test func `a lost, torn or wrong frame breaks the link instead of the sum`() throws {
        let gradients = gradients(3, 90, seed: 5)
        for seed in 0..<60 as Range<UInt64> {
            let ring = try MemoryRing(
                .init(
                    workers: 3, shards: 3, count: 90, chunkElements: 5, window: 2,
                    schedule: seed % 2 == 0 ? .fold : .ring), seed: seed, gradients: gradients)
            var left = Int(seed % 10) + 1
            ring.disturb = { frame, generator in
                left -= 1
                guard left == 0 else { return [frame] }
                guard seed % 3 > 0 else { return [] }
                var torn = frame
                torn[Int.random(in: 0..<frame.count, using: &generator)] ^= 0x10
                return [torn]
            }
            run(ring)
            let faults = ring.members.compactMap(\.fault)
            #expect(seed % 3 == 0 || !faults.isEmpty)
            for case .violation(_, .frame(let error)) in faults {
                #expect(seed % 3 > 0, "\(error)")
            }
            for member in ring.members where member.isComplete {
                #expect(
                    member.total.floats().map(\.bitPattern)
                        == expectedTotal(gradients, member.plan))
            }
        }
    }
}
