import Coordination

/// A line for the run and one for each worker.
package func statusTable(_ status: RunStatus) -> [String] {
    let rows =
        [
            [
                "WORKER", "HOST", "PID", "PLACE", "SHARDS", "PHASE", "WAITS FOR", "HEARD", "STEP",
                "LATE",
            ]
        ]
        + status.workers.map(row)
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
        zip(row, widths).map { padded($0, $1) }.joined(separator: "  ")
    }
    let pause = status.paused ? ", paused until the ledger can be written" : ""
    let head =
        "\(status.state.rawValue), step \(status.step) of \(status.steps), "
        + "ring \(status.incarnation).\(status.generation)\(pause)"
    return [head] + (status.workers.isEmpty ? ["no workers"] : lines)
}

private func row(_ worker: RunStatus.Worker) -> [String] {
    let isFolding = worker.phase == "folding" && worker.slices > 0
    let late = worker.lateSteps > 0 ? "\(worker.lateMilliseconds) ms × \(worker.lateSteps)" : "-"
    return [
        worker.id, worker.host, "\(worker.pid)", worker.rank.map { "\($0 + 1)" } ?? "-",
        "\(worker.shards)",
        worker.phase + (worker.relayed ? " by relay" : "")
            + (isFolding ? " \(worker.slice)/\(worker.slices)" : ""),
        worker.waitingFor.isEmpty ? "-" : worker.waitingFor,
        "\(worker.heardMilliseconds) ms ago", "\(worker.stepMilliseconds) ms", late,
    ]
}
