import Checkpoint

extension Failure {
    init(_ error: CheckpointError) {
        switch error {
        case .io(let path, let operation, let code):
            self.init(
                errno: code,
                otherwise: .io(
                    "\(path) cannot be \(Self.participle(operation)): \(reason(code))"))
        case .locked(let path, let holder):
            let who = holder.map { "process \($0)" } ?? "another process"
            self = .usage("\(path) is in use by \(who), end that first or give another --run")
        case .notEmpty(let path):
            self = .usage(
                """
                --run \(path) is not empty, give another folder or --resume to continue the run \
                in it
                """)
        case .noRun(let path):
            self = .usage("\(path) holds no run, give the folder of one")
        case .exposed(let path):
            self = .usage("\(path) holds a secret and everybody can read it, chmod 600 it")
        case .notEncodable(let path):
            self = Failure(.other, "\(path) was to hold what has no form in JSON")
        default: self.init(damage: error)
        }
    }

    private init(damage error: CheckpointError) {
        switch error {
        case .cutShort(let path, let expected, let found):
            self = .data("\(path) is cut short: \(found) bytes of \(expected), restore it")
        case .safetensors(let path, let fault):
            self = .data("\(path) is no whole safetensors file (\(fault)), restore it")
        case .noTensor(let path, let name):
            self = .data("\(path) lacks the tensor \(name), restore it")
        case .tensorType(let path, let name, let found):
            self = .data("\(path) has \(name) as \(found.rawValue), convert it to F32")
        case .damaged(let path, let damage):
            self = .data("\(path) \(Self.words(damage)), take another checkpoint")
        case .otherLayout(let path, let tensor):
            self = .data("\(path) is of another model: \(tensor) differs")
        case .wrongLength(let path, let expected, let found):
            self = Failure(.other, "\(path) was given \(found) bytes of \(expected)")
        case .ledger(let path, let line, let fault):
            self = .data("\(path), line \(line), is damaged (\(fault)), restore the file")
        case .incarnation(let path):
            self = .data("\(path) holds no number, restore the file")
        default: preconditionFailure("no sentence for \(error)")
        }
    }

    private static func words(_ damage: CheckpointError.Damage) -> String {
        switch damage {
        case .missing: "is missing"
        case .size(let expected, let found): "has \(found) bytes instead of \(expected)"
        case .hash: "is not what its manifest says"
        case .manifest: "is no manifest"
        case .format(let version): "has format \(version), which this program does not know"
        case .state: "is no state of a run"
        }
    }

    private static func participle(_ operation: CheckpointError.SystemCall) -> String {
        switch operation {
        case .open: "opened"
        case .read: "read"
        case .write: "written"
        case .status: "examined"
        case .synchronize: "made durable"
        case .close: "closed"
        case .rename: "renamed"
        case .remove: "removed"
        case .makeFolder: "created"
        case .list: "listed"
        case .lock: "locked"
        case .link: "linked"
        case .truncate: "cut"
        case .freeSpace: "asked for free space"
        }
    }
}
