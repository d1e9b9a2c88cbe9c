import Checkpoint
import Coordination
import Events

/// Writes `events.jsonl`: what happens in the run, spans included.
///
/// Nothing depends on the file, so what the disk does not take is left out. A file that begins repeats
/// what its readers must know of the run: its summary, its address, who has joined, the ring.
package final class EventsObserver: RunObserver, @unchecked Sendable {
    /// What it is called where it has lost events.
    package let name = "events.jsonl"
    private let path: String
    private let limit: Int
    // Only on the observer's thread.
    private var file: EventsFile?
    private var lasting: [(key: String, line: [UInt8])] = []

    /// `limit`: bytes of one file.
    package init(_ path: String, limit: Int = EventsFile.limit) {
        self.path = path
        self.limit = limit
    }

    package func observe(_ event: RunEvent) {
        guard let json = try? event.json() else { return }
        let line = [UInt8](json)
        if file == nil { file = try? EventsFile(path, limit: limit) }
        guard let file else { return }
        if file.isFull(for: line.count) {
            guard (try? file.turn()) != nil else { return }
            for entry in lasting { try? file.append(entry.line) }
        }
        try? file.append(line)
        keep(line, of: event.report)
    }

    private func keep(_ line: [UInt8], of report: RunReport) {
        let key: String
        switch report {
        case .prepared: key = "run"
        case .listening: key = "address"
        case .note(.joined(let name, _, _, _, _)): key = "worker \(name)"
        case .note(.formed): key = "ring"
        case .note(.lost(let name, _, _, _, _)):
            lasting.removeAll { $0.key == "worker \(name)" }
            return
        default: return
        }
        lasting.removeAll { $0.key == key }
        lasting.append((key, line))
    }
}
