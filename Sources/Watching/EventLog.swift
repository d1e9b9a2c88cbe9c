import Checkpoint
import Events
import Foundation
import Glibc

/// Reads a run's `events.jsonl` and the files before it, first what is there, then what comes.
package final class EventLog {
    /// At the first look spans and steps are read of so many seconds only.
    package static let recentSeconds = 90.0

    private let path: String
    private var tail: LineTail
    private var inode: UInt64 = 0
    private var hasBegun = false
    private var last: (time: Double, number: Int) = (0, 0)

    /// Looks at the events of a run.
    package init(_ paths: RunPaths) {
        path = paths.events
        tail = LineTail(paths.events)
    }

    /// Hands over the events that have come since the last call, in order. Lines that are no events are
    /// passed over.
    package func read(_ body: (RunEvent) -> Void) {
        if !hasBegun {
            hasBegun = true
            let from = (Self.lastTime(path) ?? 0) - Self.recentSeconds
            for name in EventsFile.names(path).dropLast() {
                Self.lines(name) { take($0, from, body) }
            }
            inode = Self.inode(path)
            _ = tail.read { take($0, from, body) }
            return
        }
        let now = Self.inode(path)
        if now != inode, inode != 0 {
            // What was written to the file before it got another name.
            var rest = LineTail(path + ".1", offset: tail.offset, mark: tail.mark)
            _ = rest.read { take($0, -.infinity, body) }
            tail = LineTail(path)
        }
        inode = now
        _ = tail.read { take($0, -.infinity, body) }
    }

    private func take(_ line: UnsafeRawBufferPointer, _ from: Double, _ body: (RunEvent) -> Void) {
        if from > -.infinity, EventLine.isFrequent(line), EventLine.time(line) ?? 0 < from {
            return
        }
        guard let event = try? RunEvent(json: Data(line)) else { return }
        // A file that begins repeats some of the one before.
        if event.number <= last.number, event.time <= last.time { return }
        last = (event.time, event.number)
        body(event)
    }

    /// The spans of a stretch of time, in seconds since 1970, and what else happened then: for looking
    /// back. `limit` events at most.
    ///
    /// - Parameter steps: of spans, only lines that have one of these.
    package static func events(
        of paths: RunPaths, from: Double, to: Double, steps: ClosedRange<Int>? = nil,
        limit: Int = 20_000
    ) -> [RunEvent] {
        var found: [RunEvent] = []
        for name in EventsFile.names(paths.events) {
            lines(name) { line in
                guard found.count < limit, let time = EventLine.time(line),
                    time >= from, time <= to, EventLine.mayHold(line, steps),
                    let event = try? RunEvent(json: Data(line))
                else { return }
                found.append(event)
            }
        }
        return found
    }

    private static func lines(_ path: String, _ body: (UnsafeRawBufferPointer) -> Void) {
        var tail = LineTail(path)
        _ = tail.read(body)
    }

    private static func inode(_ path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    private static func lastTime(_ path: String) -> Double? {
        guard let file = try? ReadableFile(path),
            let bytes = try? file.bytes(max(0, file.size - 65_536)..<file.size),
            let newline = bytes.lastIndex(of: 10)
        else { return nil }
        let begin = bytes[..<newline].lastIndex(of: 10).map { $0 + 1 } ?? 0
        return bytes[begin..<newline].withUnsafeBytes { EventLine.time($0) }
    }
}

/// What the bytes of an event's line tell without decoding it: keys are sorted.
enum EventLine {
    private static let number = Array("\"number\":".utf8)
    private static let frequent = ["\"phases\":", "\"step\":"].map { Array($0.utf8) }
    private static let stepKey = Array("\"step\":".utf8)
    private static let timeKey = Array("\"time\":".utf8)

    /// A step, or the spans of one.
    static func isFrequent(_ line: UnsafeRawBufferPointer) -> Bool {
        let head = UnsafeRawBufferPointer(rebasing: line.prefix(120))
        guard let at = find(number, in: head) else { return false }
        guard let comma = head[(at + number.count)...].firstIndex(of: UInt8(ascii: ",")) else {
            return false
        }
        return frequent.contains { head[(comma + 1)...].starts(with: $0) }
    }

    /// Whether a line of spans has one of some steps; true for other lines.
    static func mayHold(_ line: UnsafeRawBufferPointer, _ steps: ClosedRange<Int>?) -> Bool {
        guard let steps, isFrequent(line) else { return true }
        var rest = line
        while let at = find(stepKey, in: rest) {
            let digits = rest[(at + stepKey.count)...].prefix { (48...57).contains($0) }
            if let step = Int(String(decoding: digits, as: UTF8.self)), steps.contains(step) {
                return true
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[(at + stepKey.count)...])
        }
        return false
    }

    /// Seconds since 1970.
    static func time(_ line: UnsafeRawBufferPointer) -> Double? {
        // It is the last key but for two kinds, whose values are short.
        for begin in [max(0, line.count - 60), 0] {
            let part = UnsafeRawBufferPointer(rebasing: line[begin...])
            guard let at = find(timeKey, in: part) else { continue }
            let digits = part[(at + timeKey.count)...].prefix {
                (48...57).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e")
            }
            return digits.count <= 32 ? Double(String(decoding: digits, as: UTF8.self)) : nil
        }
        return nil
    }

    /// The first place where `key` begins.
    private static func find(_ key: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= key.count else { return nil }
        return (0...bytes.count - key.count).first {
            bytes[$0] == key[0] && bytes[$0...].starts(with: key)
        }
    }
}
