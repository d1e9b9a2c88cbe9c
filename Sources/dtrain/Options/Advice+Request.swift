import Words

extension Advice {
    /// - Parameter folder: where the run has come to lie, unless that is where it was asked to.
    init(_ request: RunRequest, hasLocalWorkers: Bool, folder: String? = nil) {
        self.init(
            command: hasLocalWorkers ? "train" : "coordinator",
            folder: folder ?? request.location.folder, configuration: request.configuration)
    }
}
