import Foundation

/// The two numbers by which workers know a run and its newest coordinator: `identity`, `incarnation`.
///
/// Workers of a run obey no incarnation below the highest they have seen. So a run whose counter is
/// lost, or is behind what the ledger tells of, gets a new identity, too: to its workers it is another
/// run, whose state they take anew.
struct RunRank {
    let identity: UInt64
    let incarnation: UInt32
    let repairs: [Repair]

    /// Raises the counter; both numbers are durable before this returns.
    ///
    /// `recovery`: of a run that is resumed; then both are expected to be there.
    /// Throws: `incarnation` when the counter is used up, `io`.
    static func take(
        _ paths: RunPaths, _ operations: any FileOperations, following recovery: RunRecovery?
    ) throws(CheckpointError) -> RunRank {
        let isResumed = recovery != nil
        var repairs: [Repair] = []
        var known: UInt64?
        switch try number(paths.identity, radix: 16) {
        case .success(let number): known = number
        case .failure(let loss): if isResumed { repairs.append(.identityDrawn(why: loss.fault)) }
        }
        var last: UInt32 = 0
        switch try number(paths.incarnation, radix: 10) {
        case .success(let number):
            guard let counter = UInt32(exactly: number), counter < .max else {
                throw .incarnation(path: paths.incarnation)
            }
            last = counter
            if let epoch = recovery?.epoch, epoch > counter {
                repairs.append(.incarnationBehind(counter: counter, ledger: epoch))
                (last, known) = (epoch, nil)
            }
        case .failure(let loss) where isResumed:
            repairs.append(.incarnationLost(why: loss.fault))
            (last, known) = (recovery?.epoch ?? 0, nil)
        case .failure: break
        }
        guard last < .max else { throw .incarnation(path: paths.incarnation) }
        // The identity first: who is stopped between the two has a new run with an old counter.
        let identity = known ?? UInt64.random(in: 1...UInt64.max)
        if known == nil {
            try operations.replace(
                paths.identity, with: Array("\(String(identity, radix: 16))\n".utf8))
        }
        try operations.replace(paths.incarnation, with: Array("\(last + 1)\n".utf8))
        return RunRank(identity: identity, incarnation: last + 1, repairs: repairs)
    }

    private struct Loss: Error { let fault: FileFault }

    /// The number in a file of one line; a line without its end is cut short.
    private static func number(
        _ path: String, radix: Int
    ) throws(CheckpointError) -> Result<UInt64, Loss> {
        guard exists(path) else { return .failure(Loss(fault: .missing)) }
        let file = try ReadableFile(path)
        let text = String(decoding: try file.bytes(0..<min(file.size, 64)), as: UTF8.self)
        guard !text.isEmpty else { return .failure(Loss(fault: .empty)) }
        guard text.hasSuffix("\n"), let number = UInt64(text.dropLast(), radix: radix) else {
            return .failure(Loss(fault: .torn))
        }
        return .success(number)
    }
}
