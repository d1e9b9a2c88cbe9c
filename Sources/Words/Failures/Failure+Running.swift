import Processes

extension Failure {
    package init(_ error: RunError) {
        switch error {
        case .diskTooFull(let path, let needed, let free):
            self.init(
                .io,
                "\(shown(path)) has \(free / 1_000_000) MB free and a checkpoint takes "
                    + "\(needed / 1_000_000) MB: make room there, or give a new run another --run")
        case .otherSettings(let setting, let file, let says, let checkpoint, let madeWith):
            self.init(
                .data,
                "\(shown(file)) says \(setting.rawValue) \(says ?? "unset") and \(shown(checkpoint)) was "
                    + "made with \(madeWith ?? "unset"): mv \(quoted(shown(file))) \(quoted(shown(file + ".old"))) lets "
                    + "--resume take the checkpoint's settings")
        }
    }

    package init(_ error: RunStore.Failure) {
        switch error {
        case .file(let error): self.init(error)
        case .replayDiffers(let step):
            self.init(
                .data,
                "step \(step) was done again and gave other bits than the ledger says: "
                    + "this build or its text is not the one that began the run")
        }
    }

    package init(_ error: LocalWorkers.KeepsEnding) {
        switch error.reason {
        case .refused(let sentence): self.init(.resources, "a worker process ended: \(sentence)")
        case .status(let status, let log):
            self.init(
                .other, "a worker process \(said(status)) again and again: see \(shown(log))")
        case .notStarted(let error): self.init(thrown: error)
        }
    }
}
