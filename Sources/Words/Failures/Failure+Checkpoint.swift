import Checkpoint
import Glibc
import Wire

extension Failure {
    package init(_ error: CheckpointError) {
        switch error {
        case .io(let path, .makeFolder, code: EEXIST):
            let what = missing(path) ?? "\(shown(path)) is there already"
            self = .io("a folder cannot be created: \(what), give another path")
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
        case .folderTaken(let path):
            self = .usage("\(shown(path)) is there already and not empty, give another folder")
        case .noRun(let path):
            self = .usage(
                "\(missing(path) ?? "\(shown(path)) holds no run"), give the folder of one")
        case .nothingLeft(let path):
            self = .data(
                """
                \(shown(path)) has neither whole settings nor a whole checkpoint, so nothing of it can \
                go on: begin again with dtrain train --run OTHER
                """)
        case .latestTaken: self = .usage(missingLink(error))
        case .changed(let path):
            self = Failure(
                .other, "\(shown(path)) has been changed by another process just now: try again")
        case .newer(let path, let format, let known, let writer):
            let maker = writer.map { "\($0), use that" } ?? "a newer dtrain, use that one"
            self = .data(
                """
                \(shown(path)) has format \(format) and this program reads up to \(known): it was \
                written by \(maker)
                """)
        case .otherArithmetic(let path, let theirs, let ours, let writer):
            let run = shown(path)
            self = .data(
                """
                \(run) was computed by arithmetic \(theirs) and this program's is \(ours), which gives \
                other numbers: use the \(writer ?? "dtrain") that wrote it, or begin a run from its \
                parameters with dtrain train --from \(quoted(run))
                """)
        case .exposed(let path):
            self = .usage(
                "\(shown(path)) holds a secret and everybody can read it: chmod 600 \(quoted(shown(path)))"
            )
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
            self = .data("\(path) is no whole safetensors file (\(plainWords(fault))), restore it")
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
            self = .data(
                """
                \(shown(path)), line \(line), \(Self.words(fault)): dtrain train --resume --run \
                \(quoted(shown(folder(ofFile: path)))) goes on with what is whole
                """)
        case .incarnation(let path):
            self = .data(
                "\(shown(path)) has been counted up to its end: rm \(quoted(shown(path))) begins anew"
            )
        default: preconditionFailure("no sentence for \(error)")
        }
    }

    private static func words(_ fault: LedgerFault) -> String {
        switch fault {
        case .checksum: "is damaged (its checksum is another)"
        case .notJSON: "is no line of a ledger"
        case .step(let expected, let found):
            "is of step \(found) where step \(expected) is expected"
        case .newer(let format): "has format \(format), which a newer dtrain writes"
        }
    }

    private static func words(_ damage: CheckpointError.Damage) -> String {
        switch damage {
        case .missing: "is missing"
        case .size(let expected, let found): "has \(found) bytes instead of \(expected)"
        case .hash: "is not what its manifest says"
        case .manifest: "is no manifest"
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
