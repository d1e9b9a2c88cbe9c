import Checkpoint

extension Repair {
    /// What was done about a run's folder that lacked something.
    package var sentence: String {
        switch self {
        case .checkpointPassedOver(let path, let error):
            return "\(shown(path)) is not whole (\(Failure(thrown: error).sentence)),"
                + " going back to the one before"
        case .ledgerCut(let bytes):
            return "the ledger's last line was torn: \(bytes) bytes cut, the step is done again"
        case .ledgerBehind(let lastLine, let newest, let from):
            return
                "the ledger ends at step \(lastLine) and the newest checkpoint is of step \(newest): going "
                + "on from step \(from), whose steps up to \(newest) are done again with the same bits"
        case .ledgerBegunAnew(let why, let kept, let step):
            let place = kept.map { "; what it held is kept in \(shown($0))" } ?? ""
            let from =
                step > 0
                ? "it begins anew behind the checkpoint of step \(step), so that verify begins there, too"
                : "the run begins anew at step 1"
            return "\(words(why)): \(from)\(place)"
        case .ledgerMended(let line, let kept, let steps):
            let stretch =
                "its lines of the steps \(steps.lowerBound)..\(steps.upperBound - 1) stay in use"
            return
                "the ledger is damaged at line \(line): \(stretch), all of it is kept in \(shown(kept))"
        case .metricsCut(let lines, let bytes):
            return lines > 0
                ? "metrics.jsonl goes on behind the ledger: \(lines) lines of steps that are done again are cut"
                : "the last line of metrics.jsonl was torn: \(bytes) bytes cut"
        case .metricsLack(let steps):
            return
                "metrics.jsonl has no line of the steps \(steps.lowerBound)..\(steps.upperBound), and "
                + "will have none: nothing but plots depends on it"
        case .settingsFromCheckpoint(let path, let why):
            return "configuration.yaml is \(word(why)): the settings are those of \(shown(path))"
        case .identityDrawn(let why):
            return
                "identity is \(word(why)): the run has a new one, workers that still run take its "
                + "state anew"
        case .incarnationLost(let why):
            return
                "incarnation is \(word(why)): the run has a new identity, workers that still run take "
                + "its state anew"
        case .incarnationBehind(let counter, let ledger):
            return
                "incarnation says \(counter) and the ledger tells of \(ledger): the run has a new "
                + "identity, workers that still run take its state anew"
        case .fingerprintLost(let why, let checkpoint?):
            return
                "text.json is \(word(why)): the text is compared with the fingerprint in \(shown(checkpoint))"
        case .fingerprintLost(let why, nil):
            return
                "text.json is \(word(why)), and no checkpoint tells of the text: it cannot be checked, "
                + "make sure that it is the same"
        case .tokenRenewed(let why):
            return "token is \(word(why)): another was made, workers elsewhere need it"
        case .keyRenewed:
            return
                "coordinator.key is missing or not that of the token: new ones were made, workers "
                + "elsewhere need the new token"
        }
    }
}

private func words(_ loss: Repair.LedgerLoss) -> String {
    switch loss {
    case .missing: "the ledger is missing"
    case .empty: "the ledger is empty"
    case .endsAt(let step): "the ledger ends at step \(step), and no whole checkpoint is as old"
    case .beginsAt(let step):
        "the ledger begins at step \(step), behind the newest whole checkpoint"
    case .damaged(let line): "the ledger is damaged at line \(line)"
    }
}

private func word(_ fault: FileFault) -> String {
    switch fault {
    case .missing: "missing"
    case .empty: "empty"
    case .torn: "cut short or damaged"
    }
}

/// Why `latest` does not lead to the run.
func missingLink(_ error: CheckpointError) -> String {
    if case .latestTaken(let path) = error {
        return "\(shown(path)) is no link and stays what it is: name this run with --run later on"
    }
    return
        "the link to the newest run was not made (\(Failure(error).sentence)): name this run with "
        + "--run later on"
}
