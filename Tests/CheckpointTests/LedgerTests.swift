import Checkpoint
import Foundation
import Testing

@Suite struct LedgerTests {
    let folder = TemporaryFolder()
    let start = ContinuousClock.now

    static func entry(_ step: Int) -> LedgerEntry {
        LedgerEntry(
            step: step, generation: .init(epoch: 2, counter: 5),
            samples: [[step, 7], [], [12, 3 * step]], total: "t\(step)\"step\":1",
            state: "s/\(step)", loss: 1 / Double(step), labels: 40 + step,
            verdict: step % 3 == 0 ? .skipped : .committed)
    }

    func write(_ steps: ClosedRange<Int>) throws {
        let ledger = try Ledger(folder("ledger.jsonl"))
        for step in steps { try ledger.append(Self.entry(step), now: start) }
    }

    func expect(_ ledger: Ledger, _ steps: Range<Int>) throws {
        #expect(ledger.steps == steps)
        for step in steps { #expect(try ledger.entry(step) == Self.entry(step)) }
        #expect(try ledger.entry(steps.lowerBound - 1) == nil)
        #expect(try ledger.entry(steps.upperBound) == nil)
    }

    func ledgerFault(_ line: Int, _ fault: LedgerFault) -> CheckpointError {
        .ledger(path: folder("ledger.jsonl"), line: line, fault: fault)
    }

    @Test("lines are read back step by step, also after it is opened again and goes on")
    func roundTrip() throws {
        try write(1...5)
        let ledger = try Ledger(folder("ledger.jsonl"))
        try expect(ledger, 1..<6)
        for step in 6...9 { try ledger.append(Self.entry(step), now: start) }
        try expect(ledger, 1..<10)
        #expect(ledger.tornBytes == 0)
        let beside = try LedgerIndex(folder("ledger.jsonl"))
        #expect(try beside.steps == 1..<10 && beside.entry(9) == Self.entry(9))
        try ledger.append(Self.entry(10), now: start)
        #expect(beside.steps == 1..<10)
    }

    @Test("a line is JSON that other programs read, its check first")
    func format() throws {
        let line = try Self.entry(4).line()
        let text = String(decoding: line, as: UTF8.self)
        #expect(text.hasPrefix("{\"check\":\"") && text.hasSuffix("}\n"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        #expect(object["step"] as? Int == 4 && object["verdict"] as? String == "committed")
        let without = "{" + text.dropFirst(28).dropLast()
        #expect(object["check"] as? String == String(SHA256.digest(Array(without.utf8)).prefix(16)))
        #expect(LedgerEntry.decode(Array(line.dropLast())) == .success(Self.entry(4)))
    }

    @Test("a line says its format; one without a number is read, one of a later format is not")
    func formats() throws {
        func line(_ body: String) -> [UInt8] {
            let check = SHA256.digest(Array(body.utf8)).prefix(16)
            return Array("{\"check\":\"\(check)\",\(body.dropFirst())\n".utf8)
        }
        let now = String(decoding: try Self.entry(1).line().dropFirst(28), as: UTF8.self)
        #expect(now.hasPrefix("\"format\":1,"))
        let first = "{" + now.dropFirst("\"format\":1,".count).dropLast()
        let old = try LedgerEntry.decode(Array(line(first).dropLast())).get()
        #expect(old.format == nil && old.step == 1 && old.samples == Self.entry(1).samples)
        _ = folder.write("ledger.jsonl", line(first))
        #expect(try Ledger(folder("ledger.jsonl")).steps == 1..<2)
        let later = line("{\"format\":2," + first.dropFirst())
        #expect(
            LedgerEntry.decode(Array(later.dropLast()))
                == .failure(.init(fault: .newer(format: 2))))
        _ = folder.write("ledger.jsonl", line(first) + later)
        let newer = CheckpointError.newer(
            path: folder("ledger.jsonl"), format: 2, known: 1, writer: nil)
        #expect(throws: newer) { try Ledger(folder("ledger.jsonl")) }
        #expect(throws: newer) { try RunRecovery.find(in: RunPaths(folder.path)) }
    }

    @Test("a run that another arithmetic has computed is looked at, not gone on with")
    func arithmetic() throws {
        var entry = Self.entry(1)
        entry.arithmetic = 3
        let line = try entry.line()
        #expect(String(decoding: line.dropFirst(28), as: UTF8.self).hasPrefix("\"arithmetic\":3,"))
        #expect(LedgerEntry.decode(Array(line.dropLast())) == .success(entry))
        _ = folder.write("ledger.jsonl", line)
        let recovery = try RunRecovery.find(in: RunPaths(folder.path))
        #expect(recovery.arithmetics == [3])
        try recovery.require(arithmetic: 3, of: folder.path)
        let other = CheckpointError.otherArithmetic(
            path: folder.path, theirs: 3, ours: 2, writer: nil)
        #expect(throws: other) { try recovery.require(arithmetic: 2, of: folder.path) }
        // Without a number it is the first.
        _ = try folder.write("ledger.jsonl", Self.entry(1).line())
        #expect(try RunRecovery.find(in: RunPaths(folder.path)).arithmetics == [1])
        // The format is found behind it.
        let body = "{\"arithmetic\":3,\"format\":2}"
        let check = SHA256.digest(Array(body.utf8)).prefix(16)
        let later = Array("{\"check\":\"\(check)\",\(body.dropFirst())".utf8)
        #expect(LedgerEntry.decode(later) == .failure(.init(fault: .newer(format: 2))))
    }

    @Test("a ledger whose file was removed takes no more lines")
    func removed() throws {
        let ledger = try Ledger(folder("ledger.jsonl"))
        try ledger.append(Self.entry(1), now: start)
        try FileManager.default.removeItem(atPath: folder("ledger.jsonl"))
        #expect(
            throws: CheckpointError.io(
                path: folder("ledger.jsonl"), operation: .write, code: ENOENT)
        ) { try ledger.append(Self.entry(2), now: start) }
        #expect(ledger.steps == 1..<2)
    }

    @Test("a loss that is no number is written and read")
    func noNumber() throws {
        var entry = Self.entry(1)
        for loss in [Double.nan, .infinity, -.infinity, 0.1, 1e-300] {
            entry.loss = loss
            let read = try LedgerEntry.decode(Array(entry.line().dropLast())).get()
            #expect(read.loss.isNaN && loss.isNaN || read.loss == loss)
        }
    }

    @Test("wherever the last line was cut off, it is cut away and the rest stays")
    func tornLine() throws {
        try write(1...3)
        let whole = folder.read("ledger.jsonl")
        let last = try Self.entry(3).line().count
        for torn in 1...last {
            _ = folder.write("ledger.jsonl", whole.dropLast(torn))
            let ledger = try Ledger(folder("ledger.jsonl"))
            #expect(ledger.tornBytes == last - torn)
            #expect(ledger.steps == 1..<3)
            #expect(folder.read("ledger.jsonl") == whole.dropLast(last))
        }
        // A torn write may have left the file's end and not its middle.
        var damaged = whole
        damaged[whole.count - 20] = 0
        _ = folder.write("ledger.jsonl", damaged)
        let ledger = try Ledger(folder("ledger.jsonl"))
        #expect(ledger.tornBytes == last)
        try ledger.append(Self.entry(3), now: start)
        #expect(folder.read("ledger.jsonl") == whole)
    }

    @Test("a damaged line in the middle is an error with its number, and nothing is cut")
    func damagedLine() throws {
        try write(1...4)
        let whole = folder.read("ledger.jsonl")
        let begin = try Self.entry(1).line().count
        let end = try begin + Self.entry(2).line().count
        for index in begin..<end {
            var damaged = whole
            damaged[index] ^= 1 << (index % 7)
            _ = folder.write("ledger.jsonl", damaged)
            #expect(throws: ledgerFault(2, .checksum)) { try Ledger(folder("ledger.jsonl")) }
            #expect(folder.read("ledger.jsonl") == damaged)
        }
        _ = folder.write("ledger.jsonl", Array(whole[..<begin] + whole[end...]))
        #expect(throws: ledgerFault(2, .step(expected: 2, found: 3))) {
            try Ledger(folder("ledger.jsonl"))
        }
    }

    @Test("only the next step is appended")
    func consecutive() throws {
        try write(1...2)
        let ledger = try Ledger(folder("ledger.jsonl"))
        for step in [1, 2, 4] {
            #expect(throws: ledgerFault(3, .step(expected: 3, found: step))) {
                try ledger.append(Self.entry(step), now: start)
            }
        }
        try expect(ledger, 1..<3)
        // A peer's line may name any step, also one that nothing can follow.
        for step in [0, -1, Int.max, .min] {
            let bare = Self.entryOfAny(step)
            #expect(throws: CheckpointError.self) {
                try Ledger(folder("other.jsonl")).append(bare, now: start)
            }
            _ = folder.write("ledger.jsonl", try bare.line() + Self.entry(1).line())
            #expect(throws: CheckpointError.self) { try Ledger(folder("ledger.jsonl")) }
            #expect(throws: LedgerEntry.Refusal.self) {
                try LedgerEntry.decode(Array(bare.line().dropLast())).get()
            }
        }
    }

    static func entryOfAny(_ step: Int) -> LedgerEntry {
        var entry = entry(1)
        entry.step = step
        return entry
    }

    @Test("a full disk leaves no part of a line, and the line fits when there is room again")
    func fullDisk() throws {
        let disk = FullDisk(writes: 2)
        let ledger = try Ledger(folder("ledger.jsonl"), operations: disk)
        for step in 1...2 { try ledger.append(Self.entry(step), now: start) }
        let whole = folder.read("ledger.jsonl")
        #expect(throws: CheckpointError.self) { try ledger.append(Self.entry(3), now: start) }
        #expect(folder.read("ledger.jsonl") == whole)
        disk.free(writes: 0)
        disk.forbidTruncation(true)
        #expect(throws: CheckpointError.self) { try ledger.append(Self.entry(3), now: start) }
        #expect(folder.read("ledger.jsonl") != whole)
        disk.free(writes: 9)
        #expect(throws: CheckpointError.self) { try ledger.append(Self.entry(3), now: start) }
        disk.forbidTruncation(false)
        try ledger.append(Self.entry(3), now: start)
        try expect(try Ledger(folder("ledger.jsonl")), 1..<4)
    }

    @Test("no line waits longer than a second to be durable")
    func synchronization() throws {
        let disk = FullDisk(writes: .max)
        let ledger = try Ledger(folder("ledger.jsonl"), operations: disk)
        #expect(ledger.synchronizationDue == nil)
        for (step, milliseconds) in zip(1..., [0, 300, 900]) {
            try ledger.append(Self.entry(step), now: start + .milliseconds(milliseconds))
        }
        #expect(disk.synchronizations == 0)
        #expect(ledger.synchronizationDue == start + .seconds(1))
        try ledger.append(Self.entry(4), now: start + .milliseconds(1000))
        #expect(disk.synchronizations == 1 && ledger.synchronizationDue == nil)
        try ledger.append(Self.entry(5), now: start + .milliseconds(1100))
        try ledger.synchronizeIfDue(now: start + .milliseconds(2000))
        #expect(disk.synchronizations == 1)
        try ledger.synchronizeIfDue(now: start + .milliseconds(2100))
        #expect(disk.synchronizations == 2)
        try ledger.synchronize()
        #expect(disk.synchronizations == 2)
    }

    @Test("after a failed synchronization the lines are written once more")
    func failedSynchronization() throws {
        let disk = FullDisk(writes: .max)
        let ledger = try Ledger(folder("ledger.jsonl"), operations: disk)
        try ledger.append(Self.entry(1), now: start)
        try ledger.synchronize()
        let durable = folder.read("ledger.jsonl")
        for step in 2...4 { try ledger.append(Self.entry(step), now: start) }
        let whole = folder.read("ledger.jsonl")
        disk.failSynchronizing(true)
        #expect(throws: CheckpointError.self) { try ledger.synchronize() }
        // The system has dropped the pages that it could not write.
        try folder.overwrite("ledger.jsonl", from: durable.count)
        #expect(throws: CheckpointError.self) {
            try ledger.append(Self.entry(5), now: start + .seconds(2))
        }
        try folder.overwrite("ledger.jsonl", from: durable.count)
        disk.failSynchronizing(false)
        try ledger.synchronize()
        #expect(folder.read("ledger.jsonl") == whole)
        #expect(ledger.synchronizationDue == nil)
        try ledger.append(Self.entry(5), now: start + .seconds(2))
        try expect(try Ledger(folder("ledger.jsonl")), 1..<6)
    }
}
